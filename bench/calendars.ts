// What a big calendar elsewhere costs: the first sync of 10,000 events on a real Radicale, and a poll of it that finds nothing new.
import { ask } from '../test/support/caldavServer.ts'
import { startRadicale } from '../test/support/radicale.ts'
import type { BenchRow } from './engine.ts'
import { serve } from './support.ts'

const events = 10_000
const recurring = 1_000
const windowDays = 365

/** Takes about half a minute. */
export async function benchCalendars(): Promise<BenchRow[]> {
  const radicale = await startRadicale(['alice'])
  try {
    const [user] = radicale.users
    if (user === undefined) throw new Error('no user')
    const from = Math.floor(Date.now() / 86_400_000) * 86_400_000
    const put = await ask(user, 'PUT', user.calendar, { body: bigCalendar(from) })
    if (put.status !== 201) throw new Error(`Radicale took no calendar: ${put.status}`)
    const orders = {
      url: radicale.url,
      username: user.username,
      password: user.password,
      from,
      to: from + windowDays * 86_400_000,
    }
    const { told } = await serve<{ seconds: number; pollMs: number; peakMb: number; items: number; intervals: number }>(
      './syncOnce.ts',
      JSON.stringify(orders),
    )
    if (told.items !== events) throw new Error(`only ${told.items} events were read`)
    const name = `first sync, ${events} events, ${recurring} of them series`
    return [
      {
        name,
        value: told.seconds,
        unit: 's',
        ceiling: `Radicale; ${told.intervals} intervals`,
        target: '≤ 20',
        ok: told.seconds <= 20,
      },
      {
        name: `${name}, memory of the process`,
        value: told.peakMb,
        unit: 'MB',
        target: '≤ 150',
        ok: told.peakMb <= 150,
      },
      { name: 'poll of it without a change, one request', value: told.pollMs, unit: 'ms', target: '', ok: true },
    ]
  } finally {
    await radicale.stop()
  }
}

/** Half-hours all over the year; one in ten of them every week of it. */
function bigCalendar(from: number): string {
  const compact = (at: number) => new Date(at).toISOString().replace(/[-:]|\.\d+/g, '')
  const lines = ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//Bench//EN']
  for (let index = 0; index < events; index += 1) {
    const start = from + Math.floor((index * (windowDays - 1) * 48) / events) * 1_800_000
    const isSeries = index % (events / recurring) === 0
    lines.push(
      'BEGIN:VEVENT',
      `UID:bench-${index}`,
      'DTSTAMP:20260101T000000Z',
      `DTSTART:${compact(start)}`,
      `DTEND:${compact(start + 1_800_000)}`,
      `SUMMARY:Event ${index}`,
      'DESCRIPTION:Something that people write into their calendars\\, of a length that is usual.',
      ...(isSeries ? ['RRULE:FREQ=WEEKLY;COUNT=52', `EXDATE:${compact(start + 7 * 86_400_000)}`] : []),
      'END:VEVENT',
    )
  }
  return [...lines, 'END:VCALENDAR', ''].join('\r\n')
}
