import Nylas from 'nylas'
import { beforeAll, expect, it } from 'vitest'

import { accessTokenOf } from '../../support/hosts.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

let server: TestServer
// The package's types describe a module within a module; at run time the default export is the class.
const Client = Nylas as unknown as typeof Nylas.default
let nylas: InstanceType<typeof Client>

beforeAll(async () => {
  server = await startTestServer()
  nylas = new Client({ apiKey: server.apiKey, apiUri: server.url })
})

it('the official SDK connects a virtual account, keeps calendars and events, and asks when people are free', async () => {
  const grant = await nylas.auth.customAuthentication({
    requestBody: { provider: 'virtual-calendar' as never, settings: { email: 'sdk@example.test' } },
  })
  const identifier = grant.data.id
  expect((await nylas.grants.find({ grantId: 'sdk@example.test' })).data.id).toBe(identifier)
  expect((await nylas.grants.list({ queryParams: { limit: 5 } })).data.map(({ id }) => id)).toContain(identifier)

  const calendar = await nylas.calendars.create({ identifier, requestBody: { name: 'Work', timezone: 'Europe/Paris' } })
  expect(calendar.data.isPrimary).toBe(true)
  await nylas.calendars.update({
    identifier,
    calendarId: 'primary',
    requestBody: { description: 'Mine', metadata: { key1: 'Some Value' } },
  })
  expect((await nylas.calendars.list({ identifier })).data).toMatchObject([
    { id: calendar.data.id, description: 'Mine', metadata: { key1: 'Some Value' } },
  ])

  const start = Date.parse('2026-09-01T09:00Z') / 1_000
  const event = await nylas.events.create({
    identifier,
    queryParams: { calendarId: calendar.data.id },
    requestBody: {
      title: 'Daily',
      when: { startTime: start, endTime: start + 1_800, startTimezone: 'Europe/Paris', endTimezone: 'Europe/Paris' },
      recurrence: ['RRULE:FREQ=DAILY;COUNT=3'],
      participants: [{ email: 'guest@example.test', name: 'Guest', status: 'noreply' }],
    },
  })
  const queryParams = {
    calendarId: 'primary',
    start: String(start - 86_400),
    end: String(start + 7 * 86_400),
    limit: 2,
  }
  const titles: unknown[] = []
  for await (const page of nylas.events.list({ identifier, queryParams }))
    titles.push(...page.data.map((item) => [item.title, item.when.object]))
  expect(titles).toEqual(Array(3).fill(['Daily', 'timespan']))
  const changed = await nylas.events.update({
    identifier,
    eventId: event.data.id,
    queryParams: { calendarId: 'primary' },
    requestBody: { title: 'Each day' },
  })
  expect(changed.data.title).toBe('Each day')
  await nylas.events.sendRsvp({
    identifier,
    eventId: event.data.id,
    queryParams: { calendarId: 'primary' },
    requestBody: { status: 'yes' },
  })

  const span = { startTime: start, endTime: start + 7_200 }
  const busy = await nylas.calendars.getFreeBusy({
    identifier,
    requestBody: { ...span, emails: ['sdk@example.test', 'nobody@example.test'] },
  })
  expect(busy.data).toMatchObject([
    { object: 'free_busy', timeSlots: [{ startTime: start, endTime: start + 1_800 }] },
    { object: 'error' },
  ])
  const availability = await nylas.calendars.getAvailability({
    requestBody: {
      ...span,
      durationMinutes: 30,
      intervalMinutes: 30,
      roundTo30Minutes: true,
      participants: [{ email: 'sdk@example.test', calendarIds: ['primary'] }],
    },
  })
  expect(availability.data.timeSlots.map((slot) => Number(slot.startTime) - start)).toEqual([1_800, 3_600, 5_400])

  await nylas.events.destroy({ identifier, eventId: event.data.id, queryParams: { calendarId: 'primary' } })
  await expect(
    nylas.events.find({ identifier, eventId: event.data.id, queryParams: { calendarId: 'primary' } }),
  ).rejects.toMatchObject({ statusCode: 404, type: 'not_found_error' })
  const connector = await nylas.connectors.create({
    requestBody: { provider: 'google', name: 'Google', settings: { clientId: 'a', clientSecret: 'b' } } as never,
  })
  expect(connector.data.provider).toBe('google')
  await nylas.connectors.update({ provider: 'google' as never, requestBody: { scope: ['x'] } as never })
  expect((await nylas.applications.getDetails()).data.applicationId).toBe(server.clientId)
  await nylas.applications.redirectUris.create({ requestBody: { url: 'https://app.example/cb', platform: 'web' } })
  await nylas.grants.destroy({ grantId: identifier })
})

it('the official SDK reads and changes everything else that is served, and reads every refusal', async () => {
  const { auth, applications, calendars, connectors, events, grants } = nylas
  const connected = await auth.customAuthentication({
    requestBody: { provider: 'virtual-calendar' as never, settings: { email: 'all@example.test' } },
  })
  const identifier = connected.data.id
  const changed = await grants.update({ grantId: identifier, requestBody: { settings: { room: 'B' }, scope: ['s'] } })
  expect(changed.data).toMatchObject({ scope: ['s'], settings: { room: 'B', email: 'all@example.test' } })
  const oldest = await grants.list({
    queryParams: { limit: 1, sortBy: 'createdAt', orderBy: 'asc', provider: 'virtual-calendar' } as never,
  })
  expect(oldest.data).toHaveLength(1)

  const branded = await applications.update({
    requestBody: {
      branding: { name: 'Acme', iconUrl: 'https://acme.example/i.png' },
      hostedAuthentication: { spacing: 3 },
    } as never,
  })
  expect(branded.data).toMatchObject({ branding: { name: 'Acme', iconUrl: 'https://acme.example/i.png' } })
  const uris = applications.redirectUris
  const { data: uri } = await uris.create({
    requestBody: {
      url: 'https://acme.example/js',
      platform: 'js',
      settings: { origin: 'https://acme.example' },
    } as never,
  })
  const redirectUriId = uri.id
  expect((await uris.find({ redirectUriId })).data).toEqual(uri)
  await uris.update({ redirectUriId, requestBody: { url: 'https://acme.example/2' } as never })
  expect((await uris.list()).data).toContainEqual({ ...uri, url: 'https://acme.example/2' })
  await uris.destroy({ redirectUriId })
  await expect(uris.find({ redirectUriId })).rejects.toMatchObject({ statusCode: 404, type: 'api.not_found_error' })

  await calendars.create({ identifier, requestBody: { name: 'First', timezone: 'Europe/Paris' } })
  const second = await calendars.create({
    identifier,
    requestBody: { name: 'Second', metadata: { keyOne: 'x' } } as never,
  })
  const calendarId = second.data.id
  await calendars.update({ identifier, calendarId, requestBody: { hexColor: '#112233' } as never })
  expect((await calendars.find({ identifier, calendarId })).data).toMatchObject({
    hexColor: '#112233',
    metadata: { keyOne: 'x' },
  })
  await events.create({
    identifier,
    queryParams: { calendarId, notifyParticipants: false },
    requestBody: {
      when: { date: '2027-01-15' },
      title: 'Day',
      metadata: { key1: 'v' },
      participants: [{ email: 'a@b.example' }],
    } as never,
  })
  const imported = await events.listImportEvents({ identifier, queryParams: { calendarId, limit: 500 } })
  expect(imported.data).toMatchObject([{ title: 'Day', when: { object: 'date', date: '2027-01-15' } }])
  const found = await events.list({
    identifier,
    queryParams: {
      calendarId,
      start: String(Date.parse('2027-01-14T00:00Z') / 1_000),
      end: String(Date.parse('2027-01-17T00:00Z') / 1_000),
      attendees: ['x@y.example', 'a@b.example'],
      eventType: ['default', 'focusTime'],
      orderBy: 'start',
      select: ['id', 'title'],
    } as never,
  })
  expect(found.data).toEqual([{ id: imported.data[0]?.id, title: 'Day' }])
  const paired = await events.list({ identifier, queryParams: { calendarId, metadataPair: { key1: 'v' } } as never })
  expect(paired.data.map(({ title }) => title)).toEqual(['Day'])
  await calendars.destroy({ identifier, calendarId })
  await expect(calendars.destroy({ identifier, calendarId: 'primary' })).rejects.toMatchObject({ statusCode: 400 })

  const microsoft = { provider: 'microsoft' as never }
  await connectors.create({
    requestBody: { ...microsoft, name: 'M', settings: { clientId: 'a', clientSecret: 'b', tenant: 'common' } } as never,
  })
  expect((await connectors.find(microsoft)).data).toMatchObject({ name: 'M', settings: { clientId: 'a' } })
  expect((await connectors.list({ queryParams: { limit: 5 } })).data.map(({ provider }) => provider)).toContain(
    'microsoft',
  )
  await connectors.destroy(microsoft)

  const token = await accessTokenOf(server, identifier)
  expect((await auth.accessTokenInfo(token)).data).toMatchObject({ sub: identifier, aud: server.clientId })
  const code = { clientId: server.clientId, redirectUri: 'https://acme.example/2' }
  for (const [asked, error] of [
    [() => auth.idTokenInfo(token), 'invalid_token'],
    [() => auth.exchangeCodeForToken({ ...code, code: 'x' }), 'unsupported_grant_type'],
    [() => auth.refreshAccessToken({ ...code, refreshToken: 'x' }), 'unsupported_grant_type'],
  ] as const)
    await expect(asked()).rejects.toMatchObject({ statusCode: 400, error, errorCode: 400 })
  expect(await auth.revoke(token)).toBe(true)
  await expect(auth.revoke(token)).rejects.toMatchObject({ error: 'invalid_token', errorCode: 400 })
})
