import { describe, expect, it } from 'vitest'

import { redactLine } from './redaction.ts'

const line = (fields: object) => redactLine(`${JSON.stringify({ level: 30, ...fields })}\n`)

describe('a log line', () => {
  it('without anything suspicious stays as it is', () => {
    const plain = '{"level":30,"route":"/v3/scheduling/bookings","status":200}\n'
    expect(redactLine(plain)).toBe(plain)
  })

  it('loses what stands under the name of a secret, at any depth', () => {
    const text = line({
      a: {
        b: [{ authorization: 'x1canary', apiKey: 'x2canary', booking_ref: 'x3canary', deep: { salt: 'x4canary' } }],
      },
      headers: { cookie: 'x5canary', 'x-refresh-token': 'x6canary' },
      code: 'x7canary-code',
    })
    expect(text).not.toMatch(/x\dcanary/)
  })

  it('loses what looks like a secret wherever it stands', () => {
    const text = line({
      msg: 'called with Bearer abc.def-123 and osk_0123abcd_AAAABBBBCCCCDDDD',
      err: {
        message:
          'connect postgres://user:hunter2@db.example/x failed, eyJhbGciOi.eyJzdWIi.c2ln, GET /x?booking_ref=QUJD&a=1',
        stack: 'Error: oss_0123abcd_AAAABBBBCCCCDDDD\n at x',
      },
    })
    expect(text).not.toMatch(/abc\.def|AAAABBBB|hunter2|eyJ|QUJD/)
    expect(text).toContain('db.example')
  })

  it('names people by a hash that stays the same', () => {
    const [first, second] = ['Gil@guest.example', 'gil@guest.example'].map((email) =>
      line({ msg: `mail to ${email} sent` }),
    )
    expect(first).not.toMatch(/guest\.example/i)
    expect(first).toMatch(/mail to mail:[0-9a-f]{12} sent/)
    expect(second).toBe(first)
    const [inPath, plain] = ['/dav/ana%40host.example/Default/', '/dav/ana@host.example/Default/'].map((calendarId) =>
      line({ calendarId }),
    )
    expect(inPath).toMatch(/"\/dav\/mail:[0-9a-f]{12}\/Default\/"/)
    expect(inPath).toBe(plain)
    expect(line({ calendarId: '/dav/ana%2540host.example/' })).not.toContain('host.example')
  })

  it('keeps the codes of errors and loses the rows that PostgreSQL quotes', () => {
    const text = line({
      err: {
        code: '23505',
        detail: 'Key (name)=(x1canary) exists.',
        message: 'invalid input syntax for type json: "x2canary"',
      },
    })
    expect(text).toContain('23505')
    expect(text).not.toMatch(/x\dcanary/)
  })

  it('stays one line of JSON', () => {
    const text = line({ msg: 'token=a\nb', at: 'a@b.c' })
    expect(text.endsWith('\n')).toBe(true)
    expect(text.trim()).not.toContain('\n')
    expect(() => JSON.parse(text)).not.toThrow()
  })
})
