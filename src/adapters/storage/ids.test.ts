import { expect, test } from 'vitest'
import { encodeReference } from '../../core/booking/reference.ts'
import type { ConfigurationId } from '../../core/ids.ts'
import { newBookingIdentity, newConfigurationId } from './ids.ts'

test('an identity is drawn in no time for an id whose last two bytes can never be plain in Base64', () => {
  // Bytes 30 and 31 of the reference begin a group of three: 0xff makes its first character a slash, whatever the salt.
  const identity = newBookingIdentity(
    '26e98405-3b48-47d2-898a-7254f1fad8d7' as ConfigurationId,
    '0b1f6a0e-5c3d-4e6f-9a7b-8c9d0e1fffff',
  )
  expect(identity.organizerSalt.length).toBe(16)
  expect(identity.organizerSalt.equals(identity.guestSalt)).toBe(false)
})

test('a configuration id is drawn in no time for a code that can never be plain in Base64', () => {
  expect(newConfigurationId('000000ff')).toMatch(/^000000ff-/)
})

test('many identities are drawn, and about half of them have references without plus and slash', () => {
  const configurationId = newConfigurationId('00000000')
  const references = Array.from({ length: 500 }, (_, index) => {
    // One id for each draw, as repeats of interrupted requests have them.
    const given = `019a0000-0000-7000-8000-${((index * 7_919) % 65_536).toString(16).padStart(12, '0')}`
    const { id, organizerSalt } = newBookingIdentity(configurationId, given)
    return encodeReference({ configurationId, bookingId: id, salt: organizerSalt })
  })
  expect(references.filter((reference) => !/[+/]/.test(reference.slice(42))).length).toBeGreaterThan(450)
})
