// The days of a month; those with free times can be chosen. A grid as the WAI-ARIA APG has it: one stop for Tab, arrows
// inside. A choice draws two days anew, so it answers within a frame on a slow phone too.
import {
  type KeyboardEvent,
  type MouseEvent,
  memo,
  type SyntheticEvent,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react'

import { formatDay, formatMonth, formatShortWeekday, formatWeekday, numberWriter } from '../../shared/format.ts'
import { addDays, addMonths, firstDayOf, firstWeekdayOf, monthOf, weekdayOf, weeksOf } from '../../shared/month.ts'
import { usePage } from '../page.tsx'

type MonthViewProps = {
  /** Has the days that have free times. */
  readonly byDay: ReadonlyMap<string, unknown>
  /** `2026-03` */
  readonly month: string
  /** The day whose times are shown. */
  readonly shown: string | undefined
  /** Nothing is offered before and after these two days. */
  readonly today: string
  readonly last: string
  readonly isLoading: boolean
  onTurn(month: string): void
  onPick(day: string): void
}

export function MonthView({ byDay, month, shown, today, last, isLoading, onTurn, onPick }: MonthViewProps) {
  const { words, locale } = usePage()
  const titleId = useId()
  const grid = useRef<HTMLTableElement>(null)
  // Where the arrows have led to, or the last choice: the one day that Tab leads to while its month is in view.
  const [reached, setReached] = useState<Reached>()
  const { weekdays, weeks } = useMemo(() => writeMonth(month, locale), [month, locale])
  const within = (day: string) => (day < today ? today : day > last ? last : day)
  const isReached = reached !== undefined && monthOf(reached.day) === month
  const stop = isReached ? reached.day : (shown ?? within(firstDayOf(month)))

  useLayoutEffect(() => {
    if (reached?.by === 'key') grid.current?.querySelector<HTMLElement>(`[data-day="${reached.day}"]`)?.focus()
  }, [reached])

  const move = (event: KeyboardEvent) => {
    const from = dayAt(event) ?? stop
    const to = destination(event, from, words.direction === 'rtl' ? -1 : 1, firstWeekdayOf(locale))
    if (to === undefined) return
    event.preventDefault()
    const day = within(to)
    if (day === from) return
    setReached({ day, by: 'key' })
    if (monthOf(day) !== month) onTurn(monthOf(day))
  }
  const choose = (event: MouseEvent) => {
    const day = dayAt(event)
    if (day === undefined || !byDay.has(day)) return
    setReached({ day, by: 'choice' })
    onPick(day)
  }
  return (
    <section className="month" aria-label={words.days.choose} data-loading={isLoading || undefined}>
      <MonthHeader titleId={titleId} month={month} first={monthOf(today)} last={monthOf(last)} onTurn={onTurn} />
      <table
        ref={grid}
        // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: the grid of the APG is a table
        role="grid"
        aria-labelledby={titleId}
        onKeyDown={move}
        onClick={choose}
      >
        <WeekdayNames weekdays={weekdays} />
        <tbody>
          {weeks.map((days, index) => {
            const within = (day: string | undefined) => (days.some((one) => one?.day === day) ? day : undefined)
            return (
              <Week
                // biome-ignore lint/suspicious/noArrayIndexKey: another month is the same rows with other days, which costs half
                key={index}
                days={days}
                byDay={byDay}
                today={today}
                last={last}
                shown={within(shown)}
                stop={within(stop)}
              />
            )
          })}
        </tbody>
      </table>
    </section>
  )
}

type MonthHeaderProps = Pick<MonthViewProps, 'month' | 'onTurn'> & {
  readonly titleId: string
  /** The months that can be turned to, both included. */
  readonly first: string
  readonly last: string
}

const MonthHeader = memo(function MonthHeader({ titleId, month, first, last, onTurn }: MonthHeaderProps) {
  const { words, locale } = usePage()
  const turn = (count: number) => {
    const to = monthOf(addMonths(firstDayOf(month), count))
    if (to >= first && to <= last) onTurn(to)
  }
  return (
    <header>
      <h2 id={titleId} aria-live="polite">
        {formatMonth(month, locale)}
      </h2>
      <Turn label={words.days.previousMonth} isEnd={month <= first} onTurn={() => turn(-1)} />
      <Turn label={words.days.nextMonth} isEnd={month >= last} onTurn={() => turn(1)} isNext />
    </header>
  )
})

type Weekday = { readonly short: string; readonly long: string }

const WeekdayNames = memo(function WeekdayNames({ weekdays }: { readonly weekdays: readonly Weekday[] }) {
  return (
    <thead>
      <tr>
        {weekdays.map(({ short, long }) => (
          <th key={long} scope="col" abbr={long}>
            {short}
          </th>
        ))}
      </tr>
    </thead>
  )
})

type Reached = { readonly day: string; readonly by: 'key' | 'choice' }
type Written = { readonly day: string; readonly text: string; readonly label: string }

type WeekProps = Pick<MonthViewProps, 'byDay' | 'shown' | 'today' | 'last'> & {
  readonly days: readonly (Written | undefined)[]
  readonly stop: string | undefined
}

/** Drawn anew only where something in it has changed: `shown` and `stop` are those of this week. */
const Week = memo(function Week({ days, byDay, shown, today, last, stop }: WeekProps) {
  return (
    <tr>
      {days.map((written, weekday) =>
        written === undefined ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: the place in the week is what a cell is
          <td key={weekday} />
        ) : (
          <Day
            // biome-ignore lint/suspicious/noArrayIndexKey: as above
            key={weekday}
            written={written}
            isFree={byDay.has(written.day)}
            isShown={written.day === shown}
            isStop={written.day === stop}
            isToday={written.day === today}
            // Past, or further ahead than anything is offered.
            isOut={written.day < today || written.day > last}
          />
        ),
      )}
    </tr>
  )
})

type DayProps = {
  readonly written: Written
  readonly isFree: boolean
  readonly isShown: boolean
  readonly isStop: boolean
  readonly isToday: boolean
  readonly isOut: boolean
}

const Day = memo(function Day({ written, isFree, isShown, isStop, isToday, isOut }: DayProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: the grid of the APG is a table
    // biome-ignore lint/a11y/useFocusableInteractive: the button in it takes the focus
    <td role="gridcell" aria-selected={isShown}>
      <button
        type="button"
        className="day"
        // Before the style changes: browsers bring the style of what has the focus up to date for it.
        tabIndex={isStop ? 0 : -1}
        data-day={written.day}
        data-selected={isShown || undefined}
        data-unavailable={!isFree || undefined}
        data-disabled={isOut || undefined}
        aria-label={written.label}
        aria-disabled={!isFree || undefined}
        aria-current={isToday ? 'date' : undefined}
      >
        {written.text}
      </button>
    </td>
  )
})

type TurnProps = {
  readonly label: string
  /** Nothing is offered further that way; the button keeps its place, and the focus where it has it. */
  readonly isEnd: boolean
  readonly isNext?: boolean
  onTurn(): void
}

function Turn({ label, isEnd, isNext = false, onTurn }: TurnProps) {
  return (
    <button type="button" className="turn" aria-label={label} aria-disabled={isEnd || undefined} onClick={onTurn}>
      <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" data-towards={isNext ? 'end' : 'start'}>
        <path d="M7.5 4.5 13 10l-5.5 5.5" fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" />
      </svg>
    </button>
  )
}

/** The day of the button that something happened to. */
function dayAt({ target }: SyntheticEvent): string | undefined {
  return (target as Element).closest<HTMLElement>('[data-day]')?.dataset.day
}

/** The words of a month, once for all the times that its days are drawn. */
function writeMonth(month: string, locale: string) {
  const writeNumber = numberWriter(locale)
  const days = weeksOf(month, firstWeekdayOf(locale))
  const weeks: (Written | undefined)[][] = days.map((week) =>
    week.map((day) =>
      day === undefined
        ? undefined
        : { day, text: writeNumber(Number(day.slice(8))), label: formatDay(noonOf(day), locale, 'UTC') },
    ),
  )
  // The second week is whole in every month.
  const weekdays = (days[1] ?? []).map((day = '') => ({
    short: formatShortWeekday(noonOf(day), locale),
    long: formatWeekday(noonOf(day), locale),
  }))
  return { weeks, weekdays }
}

/** Unix seconds. */
function noonOf(day: string): number {
  return Date.parse(`${day}T12:00:00Z`) / 1_000
}

/** Where a key leads from `day`; undefined for keys that mean nothing here. */
function destination({ key, shiftKey }: KeyboardEvent, day: string, ahead: 1 | -1, firstWeekday: number) {
  const column = (weekdayOf(day) - firstWeekday + 7) % 7
  switch (key) {
    case 'ArrowLeft':
      return addDays(day, -ahead)
    case 'ArrowRight':
      return addDays(day, ahead)
    case 'ArrowUp':
      return addDays(day, -7)
    case 'ArrowDown':
      return addDays(day, 7)
    case 'Home':
      return addDays(day, -column)
    case 'End':
      return addDays(day, 6 - column)
    case 'PageUp':
      return addMonths(day, shiftKey ? -12 : -1)
    case 'PageDown':
      return addMonths(day, shiftKey ? 12 : 1)
    default:
      return undefined
  }
}
