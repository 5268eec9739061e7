/** Mails where no mail server is set, at the terminal, and signed where a key is. */
import { execFile } from 'node:child_process'
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, it } from 'vitest'

import type { AppId } from '../../../src/core/ids.ts'
import { program, useBuild } from '../../support/builds.ts'
import { book, makeConfiguration, makeHost, nearFuture } from '../../support/hosts.ts'
import { createTestDatabase } from '../../support/postgres.ts'
import { startTestServer } from '../../support/server.ts'
import { startSmtp } from '../../support/smtp.ts'

useBuild('server')

const directory = mkdtempSync(join(tmpdir(), 'openslot-mail-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

it('without a mail server mails are kept, can be read in the terminal, and go out when asked to once there is one', async () => {
  const database = await createTestDatabase()
  const server = await startTestServer({ connection: database.connection }, { ROLE: 'web' })
  const host = await makeHost(server, 'ada@host.example')
  const id = await makeConfiguration(server, [host], {
    event: { reminders: [{ type: 'email', minutes_before_event: 5 }] },
  })
  const made = await book(server, id, nearFuture())
  const { data: mails } = (await server.request('GET', '/v3/mails?limit=1')).body
  expect(mails).toMatchObject([
    { state: 'kept', attempts: 0, next_attempt_at: null, booking_id: made.body.data.booking_id },
  ])
  const jobs = `select task_identifier as task from graphile_worker.jobs where task_identifier = 'sendMail'`
  expect((await server.app.database.pool.query(jobs)).rows).toEqual([])
  expect((await server.request('POST', `/v3/mails/${mails[0].id}/send`)).body.error.message).toContain('SMTP_URL')

  const { host: socket, port, user, database: name } = database.connection
  const environment = {
    PATH: process.env.PATH ?? '',
    DATABASE_URL: `postgres://${user}@/${name}?host=${encodeURIComponent(socket)}&port=${port}`,
    MASTER_KEY: `test:${Buffer.alloc(32, 7).toString('base64')}`,
  }
  const openslot = async (...words: string[]) =>
    (await promisify(execFile)(process.execPath, [program, 'mail', ...words], { env: environment })).stdout
  expect(await openslot('list')).toMatch(/kept {7}ada@host\.example {2}Booking Confirmed: Intro call/)
  const listed = JSON.parse(await openslot('list', '--json', '--recipient', 'GIL@guest.example')) as { id: string }[]
  expect(listed.length).toBe(1)
  const shown = await openslot('show', listed[0]?.id ?? '')
  expect(shown).toContain('To: Gil Guest <gil@guest.example>')
  expect(shown).toContain('The booking is confirmed.')
  expect(shown).toContain('METHOD:REQUEST')

  const smtp = await startSmtp()
  const sending = await startTestServer(
    { connection: database.connection },
    { ROLE: 'web', SMTP_URL: smtp.url, MAIL_FROM: 'desk@book.example' },
  )
  const command = { appId: server.clientId as AppId, mailId: listed[0]?.id ?? '' }
  expect(await sending.app.operations.sendMail(command)).toEqual({ ok: true, value: 'nothing to do' })
  expect(await sending.app.operations.sendMailAgain(command.appId, command.mailId)).toMatchObject({ ok: true })
  expect(await sending.app.operations.sendMail(command)).toEqual({ ok: true, value: 'sent' })
  expect(smtp.received.map(({ recipient }) => recipient)).toEqual(['gil@guest.example'])
  await sending.close()
  await smtp.close()
  await server.close()
  await database.drop()
})

it('a key signs every mail for the domain that it is from', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const file = join(directory, 'dkim.pem')
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const smtp = await startSmtp()
  const server = await startTestServer(
    {},
    { ROLE: 'web', SMTP_URL: smtp.url, MAIL_FROM: 'Desk <desk@book.example>', DKIM_SELECTOR: 'k1', DKIM_KEY: file },
  )
  const host = await makeHost(server, 'ada@host.example')
  await book(server, await makeConfiguration(server, [host]), nearFuture())
  const [mail] = (await server.request('GET', '/v3/mails')).body.data
  await server.app.operations.sendMail({ appId: server.clientId as AppId, mailId: mail.id })
  const raw = smtp.received[0]?.raw ?? ''
  const signature = raw.slice(0, raw.search(/\r\n(?=\S)/))
  expect(signature).toMatch(/^DKIM-Signature: v=1; a=rsa-sha256; c=relaxed\/relaxed; d=book\.example;/)
  expect(signature).toMatch(/\bs=k1;/)
  expect(isSigned(raw, signature, createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })))).toBe(true)
  expect(isSigned(raw.replace('Subject: ', 'Subject: Not '), signature, publicKey)).toBe(false)
  await server.close()
  await smtp.close()
})

/** RFC 6376 §3.4.2 and §3.7, relaxed headers; the body's hash is among them. */
function isSigned(raw: string, signature: string, key: Parameters<typeof verify>[2]): boolean {
  const relaxed = (header: string) => {
    const colon = header.indexOf(':')
    const value = header
      .slice(colon + 1)
      .replaceAll('\r\n', '')
      .replace(/[ \t]+/g, ' ')
      .trim()
    return `${header.slice(0, colon).trim().toLowerCase()}:${value}`
  }
  const headers = raw.slice(0, raw.indexOf('\r\n\r\n')).split(/\r\n(?=\S)/)
  const tag = (name: string) => new RegExp(`[;\\s]${name}=([^;]*)`).exec(signature)?.[1]?.replace(/\s/g, '') ?? ''
  const signed = tag('h')
    .split(':')
    .flatMap((name) => headers.filter((header) => header.toLowerCase().startsWith(`${name.toLowerCase()}:`)).slice(-1))
  const data = [...signed.map(relaxed), relaxed(signature.replace(/([;\s]b=)[^;]*/, '$1'))].join('\r\n')
  return verify('sha256', Buffer.from(data), key, Buffer.from(tag('b'), 'base64'))
}
