// What is wrong with the form, by place, as the page finds it before it sends.
import type { Answers, Field } from './answers.ts'
import { type AnswerProblem, findFieldProblem, findPersonProblem } from './checks.ts'
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
