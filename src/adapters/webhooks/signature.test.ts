import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'

import { hexSignature, newWebhookSecret, signatureHeaders } from './signature.ts'

const body = Buffer.from('{"specversion":"1.0","type":"booking.created","id":"n-1"}')

describe('a signature', () => {
  it('of the wire has the value of the published vector', () => {
    expect(hexSignature('mock-webhook-secret', body)).toBe(
      'e531e64593bb2ca2107b49981b80b743aac3673e136c53648bbd111d6b343321',
    )
  })

  it('of Standard Webhooks is verified by its package, by either secret after a rotation, and by no other', () => {
    const [current, previous, other] = [newWebhookSecret(), newWebhookSecret(), newWebhookSecret()]
    const headers = signatureHeaders([current, previous], {
      id: 'n-1',
      atSeconds: Math.floor((performance.timeOrigin + performance.now()) / 1_000),
      body,
    })
    for (const secret of [current, previous])
      expect(new Webhook(secret).verify(body.toString(), headers)).toMatchObject({ id: 'n-1' })
    expect(() => new Webhook(other).verify(body.toString(), headers)).toThrow()
    expect(headers['x-nylas-signature']).toBe(hexSignature(current, body))
    expect(headers['x-openslot-previous-signature']).toBe(hexSignature(previous, body))
  })

  it('has a secret of 256 random bits', () => {
    expect(Buffer.from(newWebhookSecret().slice('whsec_'.length), 'base64').length).toBe(32)
    expect(newWebhookSecret()).not.toBe(newWebhookSecret())
  })
})
