// Months as calendars draw them. Days are `2026-03-29` and months `2026-03`: Gregorian, and without a zone.

const dayMs = 86_400_000

/** The regions whose weeks do not begin on a Monday (CLDR 48); browsers do not all know. */
const fridays = 'MV'
const saturdays = 'AF BH DJ DZ EG IQ IR JO KW LY OM QA SD SY'
const sundays =
  'AG AS BD BR BS BT BW BZ CA CO DM DO ET GT GU HK HN ID IL IN IS JM JP KE KH KR LA MH MM MO MT MX MZ NI NP PA PE PH PK PR PT PY SA SG SV TH TT TW UM US VE VI WS YE ZA ZW'

/** 0 is Sunday. A locale without a region is read where most of its speakers live. */
export function firstWeekdayOf(locale: string): number {
  const { region = '' } = new Intl.Locale(locale).maximize()
  if (fridays.includes(region)) return 5
  if (saturdays.split(' ').includes(region)) return 6
  return sundays.split(' ').includes(region) ? 0 : 1
}

/** 0 is Sunday. */
export function weekdayOf(day: string): number {
  return new Date(at(day)).getUTCDay()
}

/** `count` may be negative. */
export function addDays(day: string, count: number): string {
  return write(at(day) + count * dayMs)
}

/** The same day of another month, or that month's last where it is shorter. */
export function addMonths(day: string, count: number): string {
  const [year = 0, month = 0, date = 0] = day.split('-').map(Number)
  const last = new Date(Date.UTC(year, month + count, 0)).getUTCDate()
  return write(Date.UTC(year, month - 1 + count, Math.min(date, last)))
}

export function monthOf(day: string): string {
  return day.slice(0, 7)
}

export function firstDayOf(month: string): string {
  return `${month}-01`
}

/** The days of a month by weeks of seven; undefined where a week has days of another month. */
export function weeksOf(month: string, firstWeekday: number): readonly (readonly (string | undefined)[])[] {
  const first = firstDayOf(month)
  const before = (weekdayOf(first) - firstWeekday + 7) % 7
  const weeks: (string | undefined)[][] = []
  for (let day = addDays(first, -before); monthOf(day) <= month; day = addDays(day, 7))
    weeks.push(
      Array.from({ length: 7 }, (_, index) => {
        const one = addDays(day, index)
        return monthOf(one) === month ? one : undefined
      }),
    )
  return weeks
}

function at(day: string): number {
  return Date.parse(`${day}T00:00:00Z`)
}

function write(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
