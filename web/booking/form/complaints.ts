// What is wrong with the form, by place: as the page finds it before it sends, and as the server says it afterwards.
import type { CallProblem } from '../../shared/client.ts'
import { explain, isOutdated } from '../calls/refusals.ts'
import type { Words } from '../languages/en.ts'
import type { Answers, Field } from './answers.ts'
import { type AnswerProblem, findFieldProblem, findPersonProblem, isChoice } from './checks.ts'

/** What was refused: by place, or in a sentence, with whether it helps to load the page again. */
export type Failure =
  | { readonly is: 'places'; readonly complaints: Complaints }
  | { readonly is: 'sentence'; readonly sentence: string; readonly isOutdated: boolean }

/** By place: `name`, `email`, `guests.0`, `fields.topic`. */
export type Complaints = Readonly<Record<string, string>>

/** Empty where all is well. */
export function findComplaints(answers: Answers, fields: readonly Field[], { errors }: Words): Complaints {
  const found: [string, AnswerProblem | undefined][] = [
    ['name', findPersonProblem('name', answers.name)],
    ['email', findPersonProblem('email', answers.email)],
    ...answers.guests.map((guest, index): [string, AnswerProblem | undefined] => [
      `guests.${index}`,
      guest.trim() === '' ? undefined : findPersonProblem('email', guest),
    ]),
    ...fields.map((field): [string, AnswerProblem | undefined] => [
      `fields.${field.key}`,
      findFieldProblem(field, answers.fields[field.key] ?? ''),
    ]),
  ]
  return Object.fromEntries(
    found.flatMap(([place, problem]) => (problem === undefined ? [] : [[place, errors[problem]]])),
  )
}

/**
 * What the server refused of the form, which the page took for right. Its sentence names the place first, in the API's words
 * (`additional_fields.topic: …`). Questions that are not on the form, or whose options were others, came after the page was made.
 */
export function findFailure(
  problem: CallProblem,
  { guests }: Answers,
  fields: readonly Field[],
  words: Words,
): Failure {
  const { type, message } = problem
  const { errors } = words
  const sentence: Failure = { is: 'sentence', sentence: explain(problem, words), isOutdated: isOutdated(problem) }
  if (type !== 'invalid_request_error') return sentence
  const rows = guests.flatMap((guest, index) => (guest.trim() === '' ? [] : [index]))
  const places: readonly (readonly [named: string, place: string, problem: AnswerProblem | 'otherOptions'])[] = [
    ['guest.name', 'name', 'pattern'],
    ['guest.email', 'email', 'email'],
    ...rows.flatMap((row, sent) =>
      ['email', 'name'].map((part) => [`additional_guests[${sent}].${part}`, `guests.${row}`, 'email'] as const),
    ),
    ...fields.flatMap((field) =>
      // Of a name that is a number, the server may think that it counts.
      [`.${field.key}`, `[${field.key}]`].map(
        (key) => [`additional_fields${key}`, `fields.${field.key}`, whatIsWrongWith(field, message)] as const,
      ),
    ),
  ]
  const refused = places.find(([named]) => message.startsWith(`${named}: `))
  if (refused === undefined)
    return message.startsWith('additional_fields') ? { ...sentence, sentence: errors.outdated } : sentence
  const [, place, wrong] = refused
  return wrong === 'otherOptions'
    ? { ...sentence, sentence: errors.outdated }
    : { is: 'places', complaints: { [place]: errors[wrong] } }
}

function whatIsWrongWith(field: Field, message: string): AnswerProblem | 'otherOptions' {
  const isMissing = message.endsWith(': is required')
  if (field.type === 'checkbox') return 'requiredCheck'
  if (isChoice(field)) return isMissing ? 'requiredChoice' : 'otherOptions'
  if (isMissing) return 'required'
  return field.type === 'email' ? 'email' : 'pattern'
}

/** Once the row of a guest has gone, those below it have moved up, and what was said of them with them. */
export function withoutGuest(complaints: Complaints, removed: number): Complaints {
  return Object.fromEntries(
    Object.entries(complaints).flatMap(([place, complaint]) => {
      const row = /^guests\.(\d+)$/.exec(place)?.[1]
      if (row === undefined || Number(row) < removed) return [[place, complaint]]
      return Number(row) === removed ? [] : [[`guests.${Number(row) - 1}`, complaint]]
    }),
  )
}
