// How fast the availability engine is alone: no server, no database, one process.
import type { AvailabilityParticipant, AvailabilityQuestion, Hours } from '../src/core/availability/availability.ts'
import { findSlots } from '../src/core/availability/availability.ts'
import type { Instant } from '../src/core/time/instant.ts'
import { dayMs, hourMs, instant, minuteMs, plus } from '../src/core/time/instant.ts'
import type { Interval } from '../src/core/time/interval.ts'
import { instantOfWallClock, wallClockAt } from '../src/core/time/zone.ts'

/** One figure. `ceiling` says what the value was measured against, where it is a ratio; `ok`: the target was met. */
export type BenchRow = {
  name: string
  value: number
  unit: string
  ceiling?: string
  target: string
  ok: boolean
}

type Shape = { method: AvailabilityQuestion['method']; participants: number; days: number; busy: number }

const timezone = 'America/New_York'
const windowStart = instant(Date.UTC(2026, 2, 1, 5))
const rounds = 5

/** The engine's figures: five rounds each, taken in turn, medians. Takes about ten seconds. */
export async function benchEngine(): Promise<BenchRow[]> {
  const one: Shape = { method: 'collective', participants: 1, days: 30, busy: 100 }
  const ten: Shape = { ...one, participants: 10 }
  const fifty: Shape = { ...one, method: 'max-availability', participants: 50 }
  const measured = medians(
    new Map<string, () => unknown>([
      ['one', asking(one)],
      ['one unsorted', asking(one, shuffled)],
      ['ten', asking(ten)],
      ['fifty', asking(fifty)],
      ['fairness', asking({ ...fifty, method: 'max-fairness' })],
      ['ten days×2', asking({ ...ten, days: 60, busy: 100 })],
      ['ten busy×2', asking({ ...ten, busy: 200 })],
      ['ten participants×2', asking({ ...ten, participants: 20 })],
      ['twentyfive', asking({ ...fifty, participants: 25 })],
      ['fifty days×2', asking({ ...fifty, days: 60 })],
      ['fifty busy×2', asking({ ...fifty, busy: 200 })],
      ['there', convertThere],
      ['back', convertBack],
      ['many zones', convertManyZones],
    ]),
  )
  const micros = (name: string) => measured.get(name) ?? Number.NaN
  return [
    atMost('1 participant × 30 days × 100 busy', micros('one'), 'µs', 100),
    atMost('the same, busy unsorted', micros('one unsorted'), 'µs', 100),
    atMost('10 collective × 30 days × 100 busy', micros('ten'), 'µs', 250),
    atMost('50 max-availability × 30 days × 100 busy', micros('fifty'), 'µs', 3_000),
    atMost('50 max-fairness × 30 days × 100 busy', micros('fairness'), 'µs', 3_000),
    ratio('10 collective, days doubled', micros('ten days×2') / micros('ten')),
    ratio('10 collective, busy doubled', micros('ten busy×2') / micros('ten')),
    ratio('10 collective, participants doubled', micros('ten participants×2') / micros('ten')),
    ratio('50 round robin, days doubled', micros('fifty days×2') / micros('fifty')),
    ratio('50 round robin, busy doubled', micros('fifty busy×2') / micros('fifty')),
    ratio('25 round robin, participants doubled', micros('fifty') / micros('twentyfive')),
    atMost('wall clock → instant', micros('there') / conversions, 'µs', 1),
    atMost('instant → wall clock', micros('back') / conversions, 'µs', 1),
    atMost('wall clock → instant, a different zone each time', micros('many zones') / conversions, 'µs', 1),
  ]
}

function atMost(name: string, value: number, unit: string, limit: number): BenchRow {
  return { name, value, unit, target: `≤ ${limit} ${unit}`, ok: value <= limit }
}

function ratio(name: string, value: number): BenchRow {
  return { name, value, unit: '×', ceiling: 'the same question, undoubled', target: '≤ 2.3×', ok: value <= 2.3 }
}

/** The median over the rounds of each work's time for one call, in µs. Rounds go through all works in turn, so a slow moment hits all. */
function medians(works: ReadonlyMap<string, () => unknown>): Map<string, number> {
  const times = new Map<string, number[]>()
  for (const [name, work] of works) {
    times.set(name, [])
    timePerCall(work, 100)
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, work] of works) times.get(name)?.push(timePerCall(work, 100))
  }
  return new Map(
    [...times].map(([name, values]) => [name, values.toSorted((a, b) => a - b)[rounds >> 1] ?? Number.NaN]),
  )
}

function timePerCall(work: () => unknown, forMs: number): number {
  const began = performance.now()
  let calls = 0
  let elapsed = 0
  while (elapsed < forMs) {
    work()
    calls += 1
    elapsed = performance.now() - began
  }
  return (elapsed / calls) * 1_000
}

/** A thunk that asks for the slots of `shape`: weekdays 9 to 17, 30 minutes every 15, buffers on both sides. */
function asking(shape: Shape, order: (busy: Interval[]) => Interval[] = (busy) => busy): () => unknown {
  const participants: AvailabilityParticipant[] = Array.from({ length: shape.participants }, (_, index) => ({
    email: `p${index}@example.test`,
    hours: officeHours(),
    busy: order(busyTime(shape, index)),
  }))
  const question: AvailabilityQuestion = {
    window: { start: windowStart, end: plus(windowStart, shape.days * dayMs) },
    durationMinutes: 30,
    grid: { intervalMinutes: 15, roundToMinutes: 15, anchor: { kind: 'wallClock', timezone } },
    method: shape.method,
    participants,
    bufferBeforeMinutes: 5,
    bufferAfterMinutes: 10,
  }
  return () => findSlots(question)
}

/** Not shared between participants, so that each one's hours are worked out, as when everyone has their own. */
function officeHours(): Hours {
  return {
    weekly: [{ days: [1, 2, 3, 4, 5], startMinute: 540, endMinute: 1_020, timezone, exdates: ['2026-03-17'] }],
    specific: [],
    onlySpecific: false,
  }
}

/** Half-hour events spread evenly over the window, shifted a little for each participant. */
function busyTime({ days, busy }: Shape, shift: number): Interval[] {
  const step = (days * dayMs) / busy
  return Array.from({ length: busy }, (_, index) => {
    const start = instant(
      windowStart + Math.floor((index * step) / minuteMs) * minuteMs + ((shift * 7) % 60) * minuteMs,
    )
    return { start, end: plus(start, hourMs / 2) }
  })
}

/** The same every time: a step through the list that has no common divisor with its length. */
function shuffled(busy: Interval[]): Interval[] {
  return busy.map((event, index) => busy[(index * 37) % busy.length] ?? event)
}

const conversions = 10_000
const manyZones = ['Europe/Berlin', 'America/Santiago', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Pacific/Pago_Pago']

function convertThere(): number {
  let sum = 0
  for (let index = 0; index < conversions; index += 1) sum += instantOfWallClock(timezone, windowStart + index * hourMs)
  return sum
}

function convertBack(): number {
  let sum = 0
  for (let index = 0; index < conversions; index += 1) sum += wallClockAt(timezone, later(index))
  return sum
}

function convertManyZones(): number {
  let sum = 0
  for (let index = 0; index < conversions; index += 1) {
    sum += instantOfWallClock(manyZones[index % manyZones.length] ?? timezone, windowStart + index * hourMs)
  }
  return sum
}

function later(hours: number): Instant {
  return plus(windowStart, hours * hourMs)
}

if (import.meta.main) {
  for (const { name, value, unit, target, ok } of await benchEngine()) {
    console.log(
      `${ok ? 'ok  ' : 'MISS'} ${name.padEnd(52)} ${value.toFixed(3).padStart(10)} ${unit.padEnd(3)} ${target}`,
    )
  }
}
