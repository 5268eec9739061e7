// A month of days and the free times of one of them, in the guest's own zone.
import { type CalendarDate, CalendarDate as Day, GregorianCalendar, parseDate } from '@internationalized/date'
import { useEffect, useMemo, useState } from 'react'

import { dayOf, groupByDay } from '../shared/days.ts'
import { MonthView } from './monthView.tsx'
import { usePage } from './page.tsx'
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
}

const daySeconds = 86_400
const gregorian = new GregorianCalendar()

export function SlotPicker({ slots, timezone, days, chosen, onChoose }: SlotPickerProps) {
  const { words } = usePage()
  const byDay = useMemo(() => groupByDay(slots.starts, timezone), [slots.starts, timezone])
  const now = Date.now() / 1_000
  const today = parseDate(dayOf(now, timezone))
  const last = today.add({ days: days + 1 })
  const first = byDay.keys().next().value
  const [picked, setPicked] = useState<string | undefined>(chosen === undefined ? undefined : dayOf(chosen, timezone))
  const [focused, setFocused] = useState<CalendarDate>(parseDate(picked ?? first ?? today.toString()))
  const month = focused.toString().slice(0, 7)

  // A day that has slots is shown at once: the one that was picked, else the first of the month in view.
  const shown = picked !== undefined && byDay.has(picked) && picked.startsWith(month) ? picked : firstOf(byDay, month)
  const monthEnd = endOfMonth(focused)
  const isKnown = slots.until >= Math.min(monthEnd, now + (days + 1) * daySeconds)
  const { need } = slots
  useEffect(() => {
    if (!isKnown) need(monthEnd)
  }, [isKnown, need, monthEnd])

  // Where the first month turns out to be full, the first free day is gone to once it is known.
  const [hasMoved, setMoved] = useState(false)
  useEffect(() => {
    if (hasMoved || picked !== undefined || first === undefined) return
    setMoved(true)
    setFocused(parseDate(first))
  }, [hasMoved, picked, first])

  const next = [...byDay.keys()].find((day) => day > month && !day.startsWith(month))
  const pick = (day: CalendarDate) => {
    setPicked(day.toString())
    setFocused(new Day(gregorian, day.year, day.month, day.day))
  }
  return (
    <div className="picker">
      <MonthView
        byDay={byDay}
        shown={shown === undefined ? null : parseDate(shown)}
        focused={focused}
        today={today}
        last={last}
        isLoading={!isKnown && slots.state === 'loading'}
        onFocus={(day) => {
          setMoved(true)
          setFocused(day)
        }}
        onPick={pick}
      />
      <div className="times">
        {shown !== undefined ? (
          <TimeList starts={byDay.get(shown) ?? []} timezone={timezone} chosen={chosen} onChoose={onChoose} />
        ) : slots.state === 'failed' ? (
          <div className="note" role="alert">
            <p>{words.days.failed}</p>
            <button type="button" onClick={() => slots.need(monthEnd)}>
              {words.retry}
            </button>
          </div>
        ) : !isKnown ? (
          <p className="note" role="status">
            {words.loading}
          </p>
        ) : (
          <div className="note">
            <p role="status">{first === undefined ? words.days.noneAtAll : words.days.noneInMonth}</p>
            {next !== undefined && (
              <button type="button" onClick={() => pick(parseDate(next))}>
                {words.days.showNext}
              </button>
            )}
          </div>
        )}
      </div>
    </div>
  )
}

function firstOf(byDay: ReadonlyMap<string, unknown>, month: string): string | undefined {
  for (const day of byDay.keys()) if (day.startsWith(month)) return day
  return undefined
}

/** Unix seconds; a day late, so that it has ended in every zone. */
function endOfMonth({ year, month }: CalendarDate): number {
  return Date.UTC(year, month, 2) / 1_000
}
