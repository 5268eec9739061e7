import { expect, test } from 'vitest'
import { encodeReference } from '../../core/booking/reference.ts'
import { isUuid } from '../../core/ids.ts'
import { newApplicationCode, newBookingId, newConfigurationId, newSalt } from './ids.ts'

test('booking references have neither plus nor slash, and their salts are 128 bits that never repeat', () => {
  const code = '00000000'
  const salts = new Set<string>()
  for (let round = 0; round < 200; round++) {
    const configurationId = newConfigurationId(code)
    const bookingId = newBookingId(configurationId)
    const salt = newSalt(configurationId, bookingId)
    expect(encodeReference({ configurationId, bookingId, salt })).toMatch(/^[A-Za-z0-9]{64}$/)
    expect(isUuid(bookingId)).toBe(true)
    expect(salt.length).toBe(16)
    salts.add(salt.toString('hex'))
  }
  expect(salts.size).toBe(200)
})

test('ids are drawn in no time for a code that can never be plain in Base64', () => {
  const configurationId = newConfigurationId('ffffffff')
  expect(configurationId).toMatch(/^ffffffff-/)
  expect(newSalt(configurationId, newBookingId(configurationId)).length).toBe(16)
})

test('an application code is 8 hex digits', () => {
  expect(newApplicationCode()).toMatch(/^[0-9a-f]{8}$/)
})
