// What is wrong with a single answer: the same checks that the server makes.
import type { UiSettings } from '../../../src/wire/uiSettings.ts'

export type FieldSettings = UiSettings['scheduler']['additional_fields'][string]

/** The name of the sentence that says so, among the words for errors. */
export type AnswerProblem = 'required' | 'requiredChoice' | 'requiredCheck' | 'email' | 'pattern' | 'tooLong'

/** What the API takes at most, in characters. */
export const longest = { name: 255, email: 320, answer: 10_000 } as const

export function findPersonProblem(place: 'name' | 'email', answer: string): AnswerProblem | undefined {
  const text = answer.trim()
  if (text === '') return 'required'
  if (text.length > longest[place]) return 'tooLong'
  return place === 'name' || isAddress(text) ? undefined : 'email'
}

export function findFieldProblem(field: FieldSettings, answer: string): AnswerProblem | undefined {
  if (field.type === 'checkbox') return field.required && answer !== 'true' ? 'requiredCheck' : undefined
  if (answer.trim() === '') {
    if (!field.required) return undefined
    return isChoice(field) ? 'requiredChoice' : 'required'
  }
  if (answer.length > longest.answer) return 'tooLong'
  if (field.type === 'email') return isAddress(answer) ? undefined : 'email'
  return keepsPattern(field.pattern, answer) ? undefined : 'pattern'
}

/** One or several of given options. */
export function isChoice({ type }: FieldSettings): boolean {
  return ['dropdown', 'radio_button', 'multi_select'].includes(type)
}

function isAddress(text: string): boolean {
  return /^[^\s@<>"]+@[^\s@<>"]+$/.test(text.trim())
}

/** A pattern that cannot be read stops nobody; the server reads more kinds. */
function keepsPattern(pattern: string | null | undefined, answer: string): boolean {
  if (!pattern) return true
  try {
    return new RegExp(pattern, 'u').test(answer)
  } catch (error) {
    if (error instanceof SyntaxError) return true
    throw error
  }
}
