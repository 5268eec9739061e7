import Nylas from 'nylas'
import { beforeAll, expect, it } from 'vitest'

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
