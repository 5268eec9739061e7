// What calendars elsewhere cost this server: the first sync of a big one, at a server that answers from memory, so that the figures are
// ours, and at a real one; a poll that finds nothing new; offers from the mirror; and many accounts in which nothing happens.
import { existsSync } from 'node:fs'

import { ask } from '../test/support/calendars/caldavServer.ts'
import { startCyrusCaldav } from '../test/support/calendars/cyrusCaldav.ts'
import { type BenchEvents, dayMs, eventLines } from './benchEvents.ts'
import type { BenchRow } from './engine.ts'
import { benchMirror } from './mirror.ts'
import { runtime, serve } from './support.ts'

const plan: BenchEvents = {
  events: 10_000,
  recurring: 1_000,
  from: Math.floor(Date.now() / dayMs) * dayMs,
  days: 365,
}
const what = `${plan.events} events, ${plan.recurring} of them series`

type Account = { readonly url: string; readonly username: string; readonly password: string }

/** Takes two minutes, one of them to fill the real server. */
export async function benchCalendars(): Promise<BenchRow[]> {
  return [...(await fromMemory()), ...(await fromCyrus()), ...(await benchMirror())]
}

async function fromMemory(): Promise<BenchRow[]> {
  const server = await serve<{ url: string }>('./serveCaldav.ts', JSON.stringify(plan))
  try {
    const { url } = server.told
    const told = await syncOnce({ url, username: 'a', password: 'b' })
    const requests = await (await fetch(`${url}count`)).text()
    return [
      secondsRow(`first sync, ${what}`, told.seconds, `${told.intervals} intervals, ${requests} requests`),
      {
        name: 'memory that it adds at its peak',
        value: told.addedMb,
        unit: 'MB',
        target: '≤ 150',
        ok: told.addedMb <= 150,
      },
      { name: 'poll of it without a change, one request', value: told.pollMs, unit: 'ms', target: '', ok: true },
    ]
  } finally {
    await server.stop()
  }
}

async function fromCyrus(): Promise<BenchRow[]> {
  // Filled on a disk, most of the time would go to its waits for that.
  const cyrus = await startCyrusCaldav({ folder: existsSync('/dev/shm') ? '/dev/shm' : undefined })
  try {
    const [user] = cyrus.users
    if (user === undefined) throw new Error('Cyrus has no user')
    const lines = Array.from({ length: plan.events }, (_, index) => eventLines(plan, index)).flat()
    const whole = ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//Bench//EN', ...lines, 'END:VCALENDAR', '']
    const { status } = await ask(user, 'POST', user.calendar, { body: whole.join('\r\n') })
    if (status !== 207) throw new Error(`Cyrus did not take the events: ${status}`)
    const told = await syncOnce({ url: cyrus.url, username: user.username, password: user.password })
    return [secondsRow('the same, at a real server (Cyrus)', told.seconds, `poll ${told.pollMs.toFixed(0)} ms`)]
  } finally {
    await cyrus.stop()
  }
}

function secondsRow(name: string, value: number, ceiling: string): BenchRow {
  return { name, value, unit: 's', ceiling, target: '≤ 20', ok: value <= 20 }
}

async function syncOnce(
  account: Account,
): Promise<{ seconds: number; pollMs: number; addedMb: number; items: number; intervals: number }> {
  const orders = { ...account, from: plan.from, to: plan.from + plan.days * dayMs }
  const { told } = await serve<Awaited<ReturnType<typeof syncOnce>>>('./syncOnce.ts', JSON.stringify(orders), runtime)
  if (told.items !== plan.events) throw new Error(`only ${told.items} events were read`)
  return told
}
