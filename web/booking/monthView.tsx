// The days of a month; those with free times can be chosen.
import { type CalendarDate, GregorianCalendar } from '@internationalized/date'
import { Button } from 'react-aria-components/Button'
import {
  Calendar,
  CalendarCell,
  CalendarGrid,
  CalendarGridBody,
  CalendarGridHeader,
  CalendarHeaderCell,
} from 'react-aria-components/Calendar'
import { Heading } from 'react-aria-components/Heading'

import { usePage } from './page.tsx'

type MonthViewProps = {
  readonly byDay: ReadonlyMap<string, unknown>
  readonly shown: CalendarDate | null
  readonly focused: CalendarDate
  readonly today: CalendarDate
  readonly last: CalendarDate
  readonly isLoading: boolean
  onFocus(day: CalendarDate): void
  onPick(day: CalendarDate): void
}

const gregorian = () => new GregorianCalendar()

export function MonthView({ byDay, shown, focused, today, last, isLoading, onFocus, onPick }: MonthViewProps) {
  const { words } = usePage()
  return (
    <Calendar
      aria-label={words.days.choose}
      className="month"
      data-loading={isLoading || undefined}
      createCalendar={gregorian}
      value={shown}
      onChange={onPick}
      focusedValue={focused}
      onFocusChange={onFocus}
      minValue={today}
      maxValue={last}
      isDateUnavailable={(day) => !byDay.has(day.toString())}
    >
      <header>
        <Heading level={2} />
        <Button slot="previous" aria-label={words.days.previousMonth}>
          <Chevron />
        </Button>
        <Button slot="next" aria-label={words.days.nextMonth}>
          <Chevron />
        </Button>
      </header>
      <CalendarGrid weekdayStyle="short">
        <CalendarGridHeader>{(name) => <CalendarHeaderCell>{name}</CalendarHeaderCell>}</CalendarGridHeader>
        <CalendarGridBody>{(date) => <CalendarCell date={date} className="day" />}</CalendarGridBody>
      </CalendarGrid>
    </Calendar>
  )
}

function Chevron() {
  return (
    <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" className="chevron">
      <path d="M7.5 4.5 13 10l-5.5 5.5" fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" />
    </svg>
  )
}
