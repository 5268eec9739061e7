// What is wrong with the form, by place: as the page finds it before it sends, and as the server says it afterwards.
import type { Answers, Field } from './answers.ts'
import { type AnswerProblem, findFieldProblem, findPersonProblem, isChoice } from './checks.ts'
import type { Words } from './languages/en.ts'

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
 * (`additional_fields.topic: …`); undefined where that is no place of the form.
 */
export function findRefused(
  { type, message }: { readonly type: string; readonly message: string },
  { guests }: Answers,
  fields: readonly Field[],
  { errors }: Words,
): Complaints | undefined {
  if (type !== 'invalid_request_error') return undefined
  const rows = guests.flatMap((guest, index) => (guest.trim() === '' ? [] : [index]))
  const places: readonly (readonly [named: string, place: string, problem: AnswerProblem])[] = [
    ['guest.name', 'name', 'pattern'],
    ['guest.email', 'email', 'email'],
    ...rows.flatMap((row, sent) =>
      ['email', 'name'].map((part) => [`additional_guests[${sent}].${part}`, `guests.${row}`, 'email'] as const),
    ),
    ...fields.flatMap((field) =>
      // Of a name that is a number, the server may think that it counts.
      [`.${field.key}`, `[${field.key}]`].map(
        (key) => [`additional_fields${key}`, `fields.${field.key}`, whatIsWrongWith(field)] as const,
      ),
    ),
  ]
  const refused = places.find(([named]) => message.startsWith(`${named}: `))
  return refused && { [refused[1]]: errors[refused[2]] }
}

function whatIsWrongWith(field: Field): AnswerProblem {
  if (field.type === 'checkbox') return 'requiredCheck'
  if (field.type === 'email') return 'email'
  return isChoice(field) ? 'requiredChoice' : 'pattern'
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
