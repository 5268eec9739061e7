import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { afterEach, describe, expect, it } from 'vitest'

import type { Message } from './mailer.ts'
import { sendBySmtp } from './smtp.ts'

const from = { name: 'Desk', email: 'desk@book.example' }
const message: Message = {
  messageId: '1@book.example',
  thread: 'booking-1@book.example',
  from,
  replyTo: from,
  to: { name: '', email: 'gil@guest.example' },
  subject: 'Hello',
  text: 'Hello',
  html: '<p>Hello</p>',
  language: 'en',
  invitation: undefined,
}

let server: SMTPServer | undefined
/** Whether each message came over TLS, and under whose name. */
let taken: { readonly isSecure: boolean; readonly user: unknown }[] = []
afterEach(async () => {
  taken = []
  await new Promise<void>((closed) => server?.close(() => closed()))
})

/** A real SMTP server whose certificate nobody vouches for; answers what became of one message sent through it. */
async function send(options: SMTPServerOptions, query = '', login = '') {
  server = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    closeTimeout: 100,
    logger: false,
    onAuth: ({ username, password }, _session, done) =>
      password === 'right' ? done(null, { user: username }) : done(new Error('wrong password')),
    onData: (stream, session, done) => {
      taken.push({ isSecure: session.secure, user: session.user })
      stream.resume()
      stream.on('end', () => done())
    },
    ...options,
  })
  server.on('error', () => {})
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo
  const mailer = sendBySmtp({ url: `smtp://${login}127.0.0.1:${port}/${query}`, from })
  try {
    return await mailer.send(message)
  } finally {
    await mailer.close()
  }
}

const plain = { disabledCommands: ['STARTTLS'] }

describe('STARTTLS', () => {
  it('is used where the server offers it', async () => {
    expect(await send({}, '?tls.rejectUnauthorized=false')).toMatchObject({ kind: 'sent' })
    expect(taken).toMatchObject([{ isSecure: true }])
  })

  it('with a certificate that nobody vouches for sends nothing, and the mail waits', async () => {
    const outcome = await send({})
    expect(outcome).toMatchObject({ kind: 'deferred', answer: expect.stringMatching(/certificate/i) })
    expect(taken).toEqual([])
  })

  it('that is required and not offered sends nothing, and the mail waits', async () => {
    expect(await send(plain, '?requireTLS=true')).toMatchObject({ kind: 'deferred' })
    expect(taken).toEqual([])
  })

  it('is not needed by a server on this machine', async () => {
    expect(await send(plain)).toMatchObject({ kind: 'sent' })
    expect(taken).toMatchObject([{ isSecure: false }])
  })
})

describe('a login', () => {
  it('that is right is used', async () => {
    expect(await send({}, '?tls.rejectUnauthorized=false', 'me:right@')).toMatchObject({ kind: 'sent' })
    expect(taken).toMatchObject([{ user: 'me' }])
  })

  it('that is refused refuses every mail until it is mended, so they wait', async () => {
    const outcome = await send({}, '?tls.rejectUnauthorized=false', 'me:wrong@')
    expect(outcome).toMatchObject({ kind: 'deferred', answer: expect.stringContaining('535') })
    expect(JSON.stringify(outcome)).not.toContain('wrong@')
    expect(taken).toEqual([])
  })
})
