import { describe, expect, it } from 'vitest'

import type { BookingId, ConfigurationId } from '../ids.ts'
import { decodeReference, decodeSalt, encodeReference, encodeSalt, fillLink } from './reference.ts'

/** The worked example of the API's own decoder. */
const configurationId = '26e98405-3b48-47d2-898a-7254f1fad8d7' as ConfigurationId
const bookingId = '0b1f6a0e-5c3d-4e6f-9a7b-8c9d0e1f2a3b' as BookingId
const salt = Uint8Array.from([0xfb, 0x38, 0x0b, 0x2c, 0x0b, 0xa4, 0xfe, 0xab, 0x5c, 0xb3])
const standard = 'JumEBTtIR9KJinJU8frY1wsfag5cPU5vmnuMnQ4fKjv7OAssC6T+q1yz'
const urlSafe = 'JumEBTtIR9KJinJU8frY1wsfag5cPU5vmnuMnQ4fKjv7OAssC6T-q1yz'

describe('a booking reference', () => {
  it('is the standard Base64 of both ids and the salt', () => {
    expect(encodeReference({ configurationId, bookingId, salt })).toBe(standard)
  })

  it.each([
    ['in the standard alphabet', standard],
    ['in the URL-safe one', urlSafe],
    ['percent-encoded', encodeURIComponent(standard)],
    ['with its plus turned into a space by a form', standard.replace('+', ' ')],
  ])('is read %s', (_, text) => {
    expect(decodeReference(text)).toEqual({ configurationId, bookingId, salt })
  })

  it('is read without a salt, padded or not', () => {
    const bare = encodeReference({ configurationId, bookingId, salt: new Uint8Array() })
    expect(bare).toMatch(/=$/)
    for (const text of [bare, bare.replace(/=+$/, '')])
      expect(decodeReference(text)).toEqual({ configurationId, bookingId, salt: new Uint8Array() })
  })

  it.each([
    ['empty', ''],
    ['too short', standard.slice(0, 40)],
    ['of other characters', `${standard.slice(0, 55)}!`],
    ['of a length that Base64 never has', `${standard}A`],
    ['a broken percent sequence', '%E0%A4%A'],
  ])('that is %s is none', (_, text) => {
    expect(decodeReference(text)).toBeUndefined()
  })

  it('has one spelling only: bits left over must be zero', () => {
    expect(decodeSalt('-zgLLAuk_qtcsw')).toEqual(salt)
    expect(decodeSalt('-zgLLAuk_qtcsx')).toBeUndefined()
  })

  it('gives its salt URL-safe and without padding', () => {
    expect(encodeSalt(salt)).toBe('-zgLLAuk_qtcsw')
  })

  it('stands in links wherever they say so, escaped', () => {
    expect(fillLink('https://page.example/:booking_ref?r=:booking_ref', standard)).toBe(
      `https://page.example/${encodeURIComponent(standard)}?r=${encodeURIComponent(standard)}`,
    )
    expect(fillLink('', standard)).toBe('')
  })
})
