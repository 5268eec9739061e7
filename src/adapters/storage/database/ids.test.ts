import { describe, expect, it } from 'vitest'

import {
  hashToken,
  isSameSecret,
  newApplicationCode,
  newBookingId,
  newConfigurationId,
  newId,
  newSalt,
  newToken,
  readToken,
} from './ids.ts'

describe('ids', () => {
  it('are UUIDs of version 7 that carry the time of their making', () => {
    const before = Date.now()
    const id = newId()
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toBeGreaterThanOrEqual(before)
  })

  it('of configurations begin with the code of their application, whatever the code', () => {
    for (const code of ['00000000', 'ffffffff', 'fbefbefb', newApplicationCode()])
      expect(newConfigurationId(code)).toMatch(new RegExp(`^${code}-`))
  })

  it('of a booking and its salts leave nothing to escape in a link, whatever the application', () => {
    for (let round = 0; round < 50; round++) {
      const configurationId = newConfigurationId(newApplicationCode())
      const bookingId = newBookingId(configurationId)
      const salt = newSalt(configurationId, bookingId)
      const bytes = Buffer.concat([Buffer.from(`${configurationId}${bookingId}`.replaceAll('-', ''), 'hex'), salt])
      expect(salt).toHaveLength(16)
      expect(bytes.toString('base64')).not.toMatch(/[+/]/)
    }
  })
})

describe('tokens', () => {
  it.each(['key', 'session', 'token'] as const)('of the kind %s say so, and whose they are', (kind) => {
    const code = newApplicationCode()
    expect(readToken(newToken(kind, code))).toEqual({ kind, code })
  })

  it('of any other shape say nothing', () => {
    for (const text of ['', 'osk_', 'osk_00000000_short', `xxx_00000000_${'a'.repeat(43)}`, 'a-key-of-my-own'])
      expect(readToken(text)).toBeUndefined()
  })

  it('hold 256 random bits and are kept as a hash', () => {
    const token = newToken('key', '00000000')
    expect(token.length).toBe('osk_00000000_'.length + 43)
    expect(hashToken(token)).toHaveLength(32)
    expect(isSameSecret(hashToken(token), hashToken(token))).toBe(true)
    expect(isSameSecret(hashToken(token), hashToken(`${token}x`))).toBe(false)
    expect(isSameSecret(Buffer.from('a'), Buffer.from('ab'))).toBe(false)
  })
})
