import { expect, test } from 'vitest'

import type { CalendarId, GrantId } from '../ids.ts'
import { instant, minuteMs } from '../time/instant.ts'
import { type Configuration, calendarsOf, type Host, hostsOf } from './configuration.ts'
import { horizon, slotQuestion, widened } from './slotQuestion.ts'

const calendar = (grant: string, id = 'primary') => ({
  key: { grantId: grant as GrantId, calendarId: id as CalendarId },
  provider: 'virtual-calendar' as const,
})
const host = (email: string, read: ReturnType<typeof calendar>[], write?: ReturnType<typeof calendar>): Host => ({
  participant: {
    email,
    name: email,
    hours: { weekly: [], specific: [], onlySpecific: false },
    availabilityCalendarIds: read.length === 0 ? undefined : ['x'],
  } as unknown as Host['participant'],
  availabilityCalendars: read,
  bookingCalendar: write,
})
const at = (text: string) => instant(Temporal.Instant.from(text).epochMilliseconds)
const configuration = {
  method: 'collective',
  durationMinutes: 30,
  intervalMinutes: 30,
  roundToMinutes: 15,
  bufferBeforeMinutes: 20,
  bufferAfterMinutes: 40,
  timezone: 'Europe/Berlin',
  availableDaysInFuture: 7,
  minBookingNoticeMinutes: 60,
} as Configuration

test('the horizon is the end of the last local date, on nights of 23 and 25 hours too', () => {
  // Noon of 22 March in Berlin; the 29th has 23 hours.
  expect(horizon(configuration, at('2026-03-22T11:00Z'))).toBe(at('2026-03-29T22:00Z'))
  expect(horizon(configuration, at('2026-10-18T10:00Z'))).toBe(at('2026-10-25T23:00Z'))
})

test('a window is read with what reaches into it: an event before it by its after-buffer, one behind it by its before-buffer', () => {
  const window = { start: instant(100 * minuteMs), end: instant(200 * minuteMs) }
  expect(widened(window, configuration)).toEqual({ start: 60 * minuteMs, end: 220 * minuteMs })
})

test('a host is busy by the calendars that are read, and by bookings on the one that carries the event', () => {
  const [read, write] = [calendar('a', 'read'), calendar('a', 'write')]
  const interval = (start: number) => ({ start: instant(start), end: instant(start + 1) })
  const busy = new Map([
    ['a/read', { busy: [interval(1)], claims: [interval(2)] }],
    ['a/write', { busy: [interval(3)], claims: [interval(4)] }],
  ])
  const question = slotQuestion(
    configuration,
    [host('a', [read], write)],
    { busy, order: undefined, now: instant(0) },
    interval(0),
  )
  expect(question.participants[0]?.busy).toEqual([interval(1), interval(2), interval(4)])
  expect(question.earliestStart).toBe(60 * minuteMs)
})

test('of a round robin serve those who can carry the event, otherwise all who have a calendar', () => {
  const hosts = [host('writes', [calendar('a')], calendar('a')), host('reads', [calendar('b')]), host('told', [])]
  expect(hostsOf({ method: 'collective' }, hosts).map(({ participant }) => participant.email)).toEqual([
    'writes',
    'reads',
  ])
  expect(hostsOf({ method: 'max-fairness' }, hosts).map(({ participant }) => participant.email)).toEqual(['writes'])
})

test('calendars are listed once, always in the same order', () => {
  const [one, other] = [
    host('x', [calendar('b'), calendar('a')], calendar('b')),
    host('y', [calendar('a')], calendar('c')),
  ]
  const names = (hosts: Host[]) => calendarsOf(hosts).map(({ key }) => key.grantId)
  expect(names([one, other])).toEqual(['a', 'b', 'c'])
  expect(names([other, one])).toEqual(['a', 'b', 'c'])
})
