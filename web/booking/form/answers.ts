// What the form asks for, what was typed or came with the link, and how it is sent.
import { readChoices } from '../../../src/wire/choices.ts'
import type { UiSettings } from '../../../src/wire/uiSettings.ts'
import { type FieldSettings, findFieldProblem, findPersonProblem } from './checks.ts'

type Fields = UiSettings['scheduler']['additional_fields']
export type Field = FieldSettings & { readonly key: string; readonly isReadonly: boolean }

export type Answers = {
  readonly name: string
  readonly email: string
  /** Of a field that no person sees: what is in it, a program wrote. */
  readonly website: string
  readonly guests: readonly string[]
  /** By field key; choices of several are joined by commas. */
  readonly fields: Readonly<Record<string, string>>
}

const readonlySuffix = '__readonly'

/** Those that are shown, in the organizer's order. */
export function fieldsOf(fields: Fields, parameters: URLSearchParams): Field[] {
  return Object.entries(fields)
    .filter(([, { type }]) => type !== 'metadata')
    .map(([key, field], index) => ({ field: { ...field, key, isReadonly: isFixed(key, field, parameters) }, index }))
    .sort((a, b) => (a.field.order ?? 0) - (b.field.order ?? 0) || a.index - b.index)
    .map(({ field }) => field)
}

/** The link of the page may say `?name__readonly=…` of what must stay; what would be refused, the guest may mend. */
export function isPersonReadonly(place: 'name' | 'email', parameters: URLSearchParams): boolean {
  const fixed = parameters.get(`${place}${readonlySuffix}`)
  return fixed !== null && findPersonProblem(place, oneLine(fixed)) === undefined
}

function isFixed(key: string, field: FieldSettings, parameters: URLSearchParams): boolean {
  const fixed = parameters.get(`${key}${readonlySuffix}`)
  const answer = fixed === null ? undefined : readAnswer(field, fixed)
  return answer !== undefined && findFieldProblem(field, answer) === undefined
}

/** From the page's link (`?name=…`), else from the field's own default; only what the control can show, for it is sent. */
export function firstAnswers(fields: Fields, parameters: URLSearchParams): Answers {
  const given = (key: string) => parameters.get(`${key}${readonlySuffix}`) ?? parameters.get(key)
  return {
    name: oneLine(given('name') ?? ''),
    email: oneLine(given('email') ?? ''),
    website: '',
    guests: [],
    fields: Object.fromEntries(
      Object.entries(fields).flatMap(([key, field]) => {
        const value = [given(key), field.default]
          .map((text) => (typeof text === 'string' ? readAnswer(field, text) : undefined))
          .find((answer) => answer !== undefined)
        return value === undefined ? [] : [[key, value]]
      }),
    ),
  }
}

/** What was typed before the page was loaded again, as far as it still asks for it. */
export function keepAnswers(fields: Fields, first: Answers, typed: Answers): Answers {
  const kept = Object.entries(fields).flatMap(([key, field]) => {
    const answer = Object.hasOwn(typed.fields, key) ? readAnswer(field, typed.fields[key] ?? '') : undefined
    return answer === undefined ? [] : [[key, answer]]
  })
  return { ...typed, website: '', fields: { ...first.fields, ...Object.fromEntries(kept) } }
}

/** As the field's control has it; undefined where it can show nothing of `text`. */
function readAnswer(field: FieldSettings, text: string): string | undefined {
  const options = field.options ?? []
  switch (field.type) {
    case 'dropdown':
    case 'radio_button':
      return options.find((option) => option === text) ?? options.find((option) => option.trim() === text.trim())
    case 'multi_select': {
      const named = readChoices(text, options) ?? text.split(',').map((choice) => choice.trim())
      return options.filter((option) => named.includes(option)).join(',') || undefined
    }
    case 'checkbox':
      if (/^\s*(true|yes|on|1)\s*$/i.test(text)) return 'true'
      return /^\s*(false|no|off|0)\s*$/i.test(text) ? 'false' : undefined
    case 'date':
      return isDate(text.trim()) ? text.trim() : undefined
    case 'metadata':
    case 'multi_line_text':
      return text
    default:
      return oneLine(text)
  }
}

function isDate(text: string): boolean {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text)
}

/** As a control of one line shows it. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').trim()
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
