// What the form asks for, what was typed, and what is wrong with it: the same checks that the server makes.
import type { UiSettings } from '../../src/wire/uiSettings.ts'
import type { Words } from './languages/en.ts'

type Fields = UiSettings['scheduler']['additional_fields']
export type Field = Fields[string] & { readonly key: string; readonly isReadonly: boolean }

export type Answers = {
  readonly name: string
  readonly email: string
  /** Of a field that no person sees: what is in it, a program wrote. */
  readonly website: string
  readonly guests: readonly string[]
  /** By field key; choices of several are joined by commas. */
  readonly fields: Readonly<Record<string, string>>
}

/** By place: `name`, `email`, `guests.0`, `fields.topic`. */
export type Complaints = Readonly<Record<string, string>>

const readonlySuffix = '__readonly'

/** Those that are shown, in the organizer's order. */
export function fieldsOf(fields: Fields, parameters: URLSearchParams): Field[] {
  return Object.entries(fields)
    .filter(([, { type }]) => type !== 'metadata')
    .map(([key, field], index) => ({ field: { ...field, key, isReadonly: isReadonly(key, parameters) }, index }))
    .sort((a, b) => (a.field.order ?? 0) - (b.field.order ?? 0) || a.index - b.index)
    .map(({ field }) => field)
}

/** The link of the page may say `?name=…`, and `?name__readonly=…` for what must stay. */
export function isReadonly(key: string, parameters: URLSearchParams): boolean {
  return parameters.has(`${key}${readonlySuffix}`)
}

/** From the page's link, else from the field's own default. */
export function firstAnswers(fields: Fields, parameters: URLSearchParams): Answers {
  const given = (key: string) => parameters.get(`${key}${readonlySuffix}`) ?? parameters.get(key)
  return {
    name: given('name') ?? '',
    email: given('email') ?? '',
    website: '',
    guests: [],
    fields: Object.fromEntries(
      Object.entries(fields).flatMap(([key, field]) => {
        const value = given(key) ?? field.default
        return value === undefined || value === null ? [] : [[key, value]]
      }),
    ),
  }
}

/** Empty where all is well. */
export function findComplaints(answers: Answers, fields: readonly Field[], { errors }: Words): Complaints {
  const complaints: Record<string, string> = {}
  if (answers.name.trim() === '') complaints.name = errors.required
  if (answers.email.trim() === '') complaints.email = errors.required
  else if (!isAddress(answers.email)) complaints.email = errors.email
  answers.guests.forEach((guest, index) => {
    if (guest.trim() !== '' && !isAddress(guest)) complaints[`guests.${index}`] = errors.email
  })
  for (const field of fields) {
    const complaint = findComplaint(field, answers.fields[field.key] ?? '', errors)
    if (complaint !== undefined) complaints[`fields.${field.key}`] = complaint
  }
  return complaints
}

function findComplaint(field: Field, answer: string, errors: Words['errors']): string | undefined {
  if (field.type === 'checkbox') return field.required && answer !== 'true' ? errors.requiredCheck : undefined
  if (answer.trim() === '') {
    if (!field.required) return undefined
    return ['dropdown', 'radio_button', 'multi_select'].includes(field.type) ? errors.requiredChoice : errors.required
  }
  if (field.type === 'email') return isAddress(answer) ? undefined : errors.email
  return keepsPattern(field.pattern, answer) ? undefined : errors.pattern
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

/** What the API's bodies for booking and moving share. */
export function answersToJson({ name, email, guests, fields }: Answers) {
  return {
    guest: { name: name.trim(), email: email.trim() },
    additional_guests: guests
      .map((guest) => guest.trim())
      .filter((guest) => guest !== '')
      .map((guest) => ({ email: guest, name: guest })),
    additional_fields: Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '')),
  }
}
