/** What a link may put into the form, what of it must stay, and where the server's refusals are shown. */
import { describe, expect, it } from 'vitest'

import { fieldsOf, firstAnswers, isPersonReadonly, keepAnswers } from '../../web/booking/form/answers.ts'
import { findComplaints, findFailure, withoutGuest } from '../../web/booking/form/complaints.ts'
import { de } from '../../web/booking/languages/de.ts'

const text = { label: 'Text', type: 'text', default: 'standard', pattern: '^[A-Za-z ]*$' } as const
const fields: Parameters<typeof firstAnswers>[0] = {
  text,
  lines: { label: 'Lines', type: 'multi_line_text' },
  mail: { label: 'Mail', type: 'email' },
  day: { label: 'Day', type: 'date' },
  drop: { label: 'Drop', type: 'dropdown', options: ['a', 'b'], required: true },
  radio: { label: 'Radio', type: 'radio_button', options: ['x', 'y'], default: 'y' },
  many: { label: 'Many', type: 'multi_select', options: ['Red, green', 'Blue', 'Grey'] },
  tick: { label: 'Tick', type: 'checkbox' },
  hidden: { label: 'Hidden', type: 'metadata', default: 'website' },
}

const parametersOf = (query: string) => new URLSearchParams(query)
const prefilled = (query: string) => firstAnswers(fields, parametersOf(query))

describe('a link', () => {
  it.each([
    ['text=Hello', 'text', 'Hello'],
    ['text=two%0D%0Alines', 'text', 'two lines'],
    ['lines=two%0Alines', 'lines', 'two\nlines'],
    ['', 'text', 'standard'],
    ['text=', 'text', ''],
    ['day=2026-12-31', 'day', '2026-12-31'],
    ['day=31.12.2026', 'day', undefined],
    ['day=2026-02-30', 'day', undefined],
    ['drop=b', 'drop', 'b'],
    ['drop=zzz', 'drop', undefined],
    ['drop__readonly=zzz', 'drop', undefined],
    ['radio=zzz', 'radio', 'y'],
    ['radio=+x+', 'radio', 'x'],
    ['many=Grey,+Blue', 'many', 'Blue,Grey'],
    ['many=Red,green', 'many', 'Red, green'],
    ['many=Nope', 'many', undefined],
    ['many=Nope,Blue', 'many', 'Blue'],
    ['tick=1', 'tick', 'true'],
    ['tick=Yes', 'tick', 'true'],
    ['tick=off', 'tick', 'false'],
    ['tick=maybe', 'tick', undefined],
    ['hidden=mail', 'hidden', 'mail'],
    ['', 'hidden', 'website'],
  ])('with ?%s has for %s the answer %j', (query, key, answer) => {
    expect(prefilled(query).fields[key]).toBe(answer)
  })

  it.each([
    ['name__readonly=Gil', ['name']],
    ['name__readonly=', []],
    [`name__readonly=${'x'.repeat(300)}`, []],
    ['email__readonly=gil@guest.example&name=Gil', ['email']],
    ['email__readonly=nobody', []],
    ['text__readonly=', ['text']],
    ['text__readonly=Apples', ['text']],
    ['text__readonly=5', []],
    ['drop__readonly=a&radio__readonly=zzz', ['drop']],
    ['drop__readonly=zzz', []],
    ['tick__readonly=yes', ['tick']],
    ['day__readonly=tomorrow', []],
  ])('with ?%s fixes %j, and nothing that would be refused', (query, fixed) => {
    const parameters = parametersOf(query)
    const people = (['name', 'email'] as const).filter((place) => isPersonReadonly(place, parameters))
    const answers = fieldsOf(fields, parameters).flatMap(({ key, isReadonly }) => (isReadonly ? [key] : []))
    expect([...people, ...answers]).toEqual(fixed)
  })
})

describe('what was typed', () => {
  it('is kept over a page that asks for other things by now, as far as it still asks for them', () => {
    const typed = { ...prefilled(''), name: 'Gil', website: 'filled in by a program', guests: ['eve@guest.example'] }
    const before = {
      ...typed,
      fields: { ...typed.fields, text: '', drop: 'b', radio: 'x', gone: 'away', lines: 'a\nb' },
    }
    const now: typeof fields = {
      ...fields,
      drop: { label: 'Drop', type: 'dropdown', options: ['a', 'c'] },
      extra: { label: 'Extra', type: 'text', default: 'new' },
    }
    const first = firstAnswers(now, parametersOf(''))
    expect(keepAnswers(now, first, before)).toMatchObject({
      name: 'Gil',
      website: '',
      guests: ['eve@guest.example'],
    })
    expect(keepAnswers(now, first, before).fields).toEqual({
      text: '',
      lines: 'a\nb',
      radio: 'x',
      hidden: 'website',
      extra: 'new',
    })
  })
})

describe('a complaint', () => {
  const shown = fieldsOf({ ...fields, 7: text }, parametersOf(''))
  const answers = { ...prefilled(''), guests: ['', 'eve@guest.example', '', 'bob@guest.example'] }

  it('is made of what is too long, before it is sent', () => {
    const long = { ...answers, name: 'x'.repeat(256), email: 'gil@guest.example', fields: { drop: 'a' } }
    expect(findComplaints(long, shown, de)).toEqual({ name: 'Das ist zu lang.' })
  })

  it.each([
    ['guest.name: must NOT have more than 255 characters', { name: de.errors.pattern }],
    ['guest.email: must be a mail address', { email: de.errors.email }],
    ['additional_guests[1].email: must be a mail address', { 'guests.3': de.errors.email }],
    ['additional_fields.text: does not have the form that is asked for', { 'fields.text': de.errors.pattern }],
    ['additional_fields.text: is required', { 'fields.text': de.errors.required }],
    ['additional_fields.drop: is required', { 'fields.drop': de.errors.requiredChoice }],
    // The page knows other options, so no choice on it would do.
    ['additional_fields.drop: must be one of c, d', de.errors.outdated],
    ['additional_fields[7]: longer than 10240 characters', { 'fields.7': de.errors.pattern }],
    ['additional_fields.other: is required', de.errors.outdated],
    ['timezone: "Nowhere" is not an IANA time zone, as Europe/Berlin is', de.errors.failed],
  ])('of the server, "%s", is made where it belongs, in the words of the page', (message, said) => {
    const refused = { status: 400, type: 'invalid_request_error', message }
    expect(findFailure(refused, answers, shown, de)).toEqual(
      typeof said === 'string'
        ? { is: 'sentence', sentence: said, isOutdated: true }
        : { is: 'places', complaints: said },
    )
    const failed = { status: 500, type: 'internal_error', message }
    expect(findFailure(failed, answers, shown, de)).toEqual({
      is: 'sentence',
      sentence: de.errors.server,
      isOutdated: false,
    })
  })

  it('moves with its guest, and goes with its guest', () => {
    const complaints = { name: 'a', 'guests.0': 'b', 'guests.1': 'c', 'guests.2': 'd' }
    expect(withoutGuest(complaints, 1)).toEqual({ name: 'a', 'guests.0': 'b', 'guests.1': 'd' })
    expect(withoutGuest({ 'guests.1': 'c' }, 0)).toEqual({ 'guests.0': 'c' })
  })
})
