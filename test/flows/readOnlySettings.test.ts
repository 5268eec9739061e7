/** What guests do needs no right to write the host's settings, so no fault in it can change them (pitfall 15). */
import pg from 'pg'
import { afterAll, expect, it, vi } from 'vitest'
import { serverRole } from '../../src/adapters/storage/migrations/migrations.ts'
import type { App } from '../../src/app.ts'
import { decodeReference, encodeSalt } from '../../src/core/booking/reference.ts'
import { book, makeConfiguration, makeHost, nearFuture, type TestHost } from '../support/hosts.ts'
import { findFaults, readLedger } from '../support/ledger.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { startTestServer } from '../support/server.ts'

const { connection } = await createTestDatabase()
const server = await startTestServer({ connection }, { ROLE: 'web' })
/** One connection, opened before the rights are taken away, so it keeps its own. */
const admin = new pg.Pool({ ...connection, max: 1, idleTimeoutMillis: 0 })
await admin.query('select')
afterAll(() => admin.end())
const start = nearFuture()

/** Whatever an application or its hosts have set, each table with what is counted and not set left out. */
const settings: Readonly<Record<string, readonly string[]>> = {
  applications: [],
  api_keys: ['last_used_at'],
  data_keys: [],
  callback_uris: [],
  connectors: [],
  grants: [],
  access_tokens: [],
  sessions: [],
  configurations: [],
  calendars: ['version'],
}

async function readSettings(): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {}
  for (const [table, counters] of Object.entries(settings)) {
    const { rows } = await admin.query(`select (to_jsonb(t) - $1::text[])::text as row from openslot.${table} t`, [
      counters,
    ])
    found[table] = rows.map(({ row }) => row).toSorted()
  }
  return found
}

/** The right to count is all that is left to the server. A row lock asks for the right to change some column, whichever. */
async function takeAwayTheRightToWrite(): Promise<void> {
  for (const table of Object.keys(settings))
    await admin.query(`revoke insert, update, delete on openslot.${table} from ${serverRole}`)
  await admin.query(`grant update (version) on openslot.calendars to ${serverRole}`)
  await admin.query(`grant update (app_id) on openslot.configurations to ${serverRole}`)
  // From here on every connection of the server is one of this role.
  const { pool } = server.app.database
  await admin.query(`alter database ${connection.database} set role = ${serverRole}`)
  await admin.query(
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
  )
  await vi.waitFor(() => expect(pool.totalCount).toBe(0))
}

async function tryToWrite(statement: string): Promise<string> {
  return server.app.database.pool.query(statement).then(
    () => 'written',
    (error: { code: string }) => error.code,
  )
}

/** All that a guest far away does, in another zone, without any credential but `token`; answers what was refused. */
async function live(configurationId: string, token: string | null, from: number): Promise<object[]> {
  const which = token === null ? `configuration_id=${configurationId}` : ''
  const slots = `/v3/scheduling/availability?${which}&start_time=${from}&end_time=${from + 7_200}`
  const words = { timezone: 'Pacific/Kiritimati', email_language: 'ja' }
  const refused: object[] = []
  const ask = async (method: string, path: string, body?: object) => {
    const reply = await server.request(method, path, {
      token,
      headers: { 'idempotency-key': `${method} ${configurationId}` },
      ...(body === undefined ? {} : { body }),
    })
    if (reply.status !== 200) refused.push({ method, path, body: reply.body })
    return reply.body.data
  }
  await ask('GET', slots)
  await ask('GET', `/v3/scheduling/ui-settings?${which}`)
  const made = await ask('POST', `/v3/scheduling/bookings?${which}`, {
    start_time: from,
    end_time: from + 1_800,
    guest: { name: 'Gil', email: 'gil@guest.example' },
    ...words,
  })
  const path = `/v3/scheduling/bookings/${made?.booking_id}?${which}`
  await ask('GET', path)
  await ask('GET', `${slots}&booking_id=${made?.booking_id}`)
  await ask('PATCH', path, { start_time: from + 3_600, end_time: from + 5_400, ...words })
  await ask('DELETE', path, { cancellation_reason: 'Ill' })
  return refused
}

it('pitfall 15: the whole way of a guest works without any right to write settings, and changes none', async () => {
  const host = await makeHost(server, 'ada@host.example', 'America/New_York')
  const second = await makeHost(server, 'bob@host.example', 'Asia/Kathmandu')
  const open = await makeConfiguration(server, [host, second], { event: { timezone: 'America/New_York' } })
  const turns = await makeConfiguration(server, [host, second], {
    participants: [host, second].map(({ email }: TestHost) => ({
      email,
      name: email,
      availability: { calendar_ids: ['primary'] },
      booking: { calendar_id: 'primary' },
    })),
    rules: { availability_method: 'max-fairness' },
  })
  const asking = await makeConfiguration(server, [host], { event: { booking_type: 'organizer-confirmation' } })
  const closed = await makeConfiguration(server, [host], { top: { requires_session_auth: true } })
  const session = await server.request('POST', '/v3/scheduling/sessions', { body: { configuration_id: closed } })
  await takeAwayTheRightToWrite()
  const before = await readSettings()
  expect(before.configurations?.length).toBe(4)

  for (const [index, [id, token]] of (
    [
      [open, null],
      [turns, null],
      [asking, null],
      [closed, session.body.data.session_id],
    ] as const
  ).entries())
    expect(await live(id, token, start + index * 86_400)).toEqual([])
  const asked = await book(server, asking, start + 10 * 86_400)
  const [{ organizer_booking_ref: reference }] = (
    await server.request('GET', `/v3/grants/${host.grantId}/scheduling/bookings?status=pending`)
  ).body.data
  const confirmed = await server.request(
    'PUT',
    `/v3/scheduling/bookings/${asked.body.data.booking_id}?configuration_id=${asking}`,
    {
      token: null,
      body: { salt: encodeSalt(decodeReference(reference)?.salt ?? new Uint8Array()), status: 'confirmed' },
    },
  )
  expect(confirmed.body.data).toMatchObject({ status: 'booked' })

  expect(await readSettings()).toEqual(before)
  const ledger = await readLedger({ database: { pool: admin } } as unknown as App)
  expect(
    ledger.bookings
      .map(({ state }) => state)
      .toSorted()
      .join(),
  ).toBe('booked,cancelled,cancelled,cancelled,cancelled')
  expect(findFaults(ledger)).toEqual([])
  // The right was really gone.
  for (const table of Object.keys(settings)) {
    expect(await tryToWrite(`delete from openslot.${table}`), table).toBe('42501')
    expect(await tryToWrite(`insert into openslot.${table} default values`), table).toBe('42501')
  }
  expect(await tryToWrite(`update openslot.calendars set timezone = 'UTC'`)).toBe('42501')
  expect(await tryToWrite(`update openslot.configurations set document = '{}'`)).toBe('42501')
})
