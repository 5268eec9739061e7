// A month of days and the free times of one of them, in the guest's own zone.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'

import { unixNow } from '../../shared/clock.ts'
import { dayOf, groupByDay } from '../../shared/days.ts'
import { addDays, monthOf } from '../../shared/month.ts'
import { Icon } from '../icon.tsx'
import { usePage } from '../page.tsx'
import { Refused } from '../refused.tsx'
import { MonthView } from './monthView.tsx'
import { TimeList } from './timeList.tsx'
import type { Slots } from './useSlots.ts'

export type SlotPickerProps = {
  readonly slots: Slots
  readonly timezone: string
  /** How far ahead there may be slots. */
  readonly days: number
  /** The start that was chosen before, which its day is shown for. */
  readonly chosen: number | undefined
  onChoose(start: number): void
  /** Of a page that is too old to go on. */
  onReload(): void
}

const daySeconds = 86_400
/** So much further is looked for the first slot at a time. */
const stepSeconds = 90 * daySeconds

export function SlotPicker({ slots, timezone, days, chosen, onChoose, onReload }: SlotPickerProps) {
  const { words } = usePage()
  const byDay = useMemo(() => groupByDay(slots.starts, timezone), [slots.starts, timezone])
  const now = unixNow()
  const today = dayOf(now, timezone)
  const last = addDays(today, days + 1)
  const first = byDay.keys().next().value
  const [picked, setPicked] = useState(chosen === undefined ? undefined : dayOf(chosen, timezone))
  // Until someone turns it, the month of the first free day: also where the first month turns out to be full.
  const [turnedTo, setTurnedTo] = useState(picked === undefined ? undefined : monthOf(picked))
  const month = turnedTo ?? monthOf(first ?? today)

  // A day that has slots is shown at once: the one that was picked, else the first of the month in view.
  const shown = picked !== undefined && byDay.has(picked) && monthOf(picked) === month ? picked : firstOf(byDay, month)
  const monthEnd = endOfMonth(month)
  const { need, until, state } = slots
  const horizon = now + (days + 1) * daySeconds
  const isKnown = until >= Math.min(monthEnd, horizon)
  const mayBeLater = first === undefined && until < horizon
  useEffect(() => {
    if (!isKnown) need(monthEnd)
  }, [isKnown, need, monthEnd])
  useEffect(() => {
    if (mayBeLater && state === 'ready') need(until + stepSeconds)
  }, [mayBeLater, state, need, until])

  // What had the focus is gone, on the way back from the form too: each time, it is led to the times.
  const times = useRef<HTMLDivElement>(null)
  const [led, setLed] = useState(chosen === undefined ? 0 : 1)
  useEffect(() => {
    if (led === 0) return
    const place = times.current
    const to = place?.querySelector<HTMLElement>('[aria-current]') ?? place?.querySelector('h2') ?? place
    to?.focus()
  }, [led])

  const rehearsed = useRehearsal(byDay, month, shown, chosen === undefined)
  const pick = (day: string) => {
    setPicked(day)
    setTurnedTo(monthOf(day))
  }
  const pickNext = (day: string) => {
    pick(day)
    setLed(led + 1)
  }
  const askAgain = () => {
    need(monthEnd)
    setLed(led + 1)
  }
  return (
    <div className="picker">
      <MonthView
        byDay={byDay}
        month={month}
        shown={rehearsed}
        today={today}
        last={last}
        isLoading={(!isKnown || mayBeLater) && state === 'loading'}
        onTurn={setTurnedTo}
        onPick={pick}
      />
      <div ref={times} tabIndex={-1} className="times">
        {state === 'failed' && (
          <div className="alert" role="alert">
            <p>{first === undefined ? words.days.failed : words.days.someFailed}</p>
            <button type="button" onClick={askAgain}>
              {words.retry}
            </button>
          </div>
        )}
        {(state === 'outdated' || state === 'expired') && (
          <Refused text={words.errors[state === 'expired' ? 'session' : state]} onReload={onReload} />
        )}
        {rehearsed !== undefined ? (
          <TimeList starts={byDay.get(rehearsed) ?? []} timezone={timezone} chosen={chosen} onChoose={onChoose} />
        ) : state !== 'ready' && state !== 'loading' ? null : isKnown && !mayBeLater ? (
          <NoneFree isEver={first !== undefined} next={firstAfter(byDay, month)} onPick={pickNext} />
        ) : (
          <p className="note" role="status">
            {words.loading}
          </p>
        )}
      </div>
    </div>
  )
}

/** So often another day is drawn and taken back. The last ones cost little, and what has run a few times runs in half the time. */
const rehearsals = 5
/** Where days differ by hundreds of times, fewer have to do: none begins after so long, in milliseconds. */
const rehearsingMs = 100

/**
 * The day to draw. Before the first frame another one is drawn and taken back, which nobody sees: what a choice runs is
 * compiled and has its memory then, and a guest's first tap is answered as quickly as a later one.
 */
function useRehearsal(
  byDay: ReadonlyMap<string, unknown>,
  month: string,
  shown: string | undefined,
  isNeeded: boolean,
) {
  const end = 2 * rehearsals
  const [act, setAct] = useState(isNeeded ? 0 : end)
  const [begun] = useState(() => performance.now())
  useLayoutEffect(() => {
    if (act === end) return
    const isLate = act > 0 && act % 2 === 0 && performance.now() - begun > rehearsingMs
    setAct(isLate ? end : act + 1)
  }, [act, end, begun])
  if (act % 2 === 0 || shown === undefined) return shown
  for (const day of byDay.keys()) if (day > shown && monthOf(day) === month) return day
  return shown
}

type NoneFreeProps = {
  /** Whether there is any free day at all. */
  readonly isEver: boolean
  /** The first free day of a later month. */
  readonly next: string | undefined
  onPick(day: string): void
}

function NoneFree({ isEver, next, onPick }: NoneFreeProps) {
  const { words } = usePage()
  return (
    <div className="note">
      <NothingThere />
      <p role="status">{isEver ? words.days.noneInMonth : words.days.noneAtAll}</p>
      {next !== undefined && (
        <button type="button" onClick={() => onPick(next)}>
          {words.days.showNext}
        </button>
      )}
    </div>
  )
}

/** A month without a day in it. */
function NothingThere() {
  return (
    <Icon>
      <rect x="2.5" y="4" width="15" height="13.5" rx="2" />
      <path d="M2.5 8h15M6.5 2v4M13.5 2v4M8 11l4 4M12 11l-4 4" strokeLinecap="round" />
    </Icon>
  )
}

function firstOf(byDay: ReadonlyMap<string, unknown>, month: string): string | undefined {
  for (const day of byDay.keys()) if (monthOf(day) === month) return day
  return undefined
}

function firstAfter(byDay: ReadonlyMap<string, unknown>, month: string): string | undefined {
  for (const day of byDay.keys()) if (monthOf(day) > month) return day
  return undefined
}

/** Unix seconds; a day late, so that it has ended in every zone. */
function endOfMonth(month: string): number {
  const [year = 0, number = 0] = month.split('-').map(Number)
  return Date.UTC(year, number, 2) / 1_000
}
