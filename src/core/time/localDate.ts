// Days of the calendar without a zone: text, number and weekday. Plain arithmetic, no clock and no zone.

/** Days since 1970-01-01 (which is 0); negative before. A local date, so it says nothing about instants. */
export type LocalDay = number

/** Is `text` a date of the calendar written `YYYY-MM-DD`? `2026-02-30` is not. */
export function isLocalDate(text: string): boolean {
  return parse(text) !== undefined
}

/** The day that `text` (`YYYY-MM-DD`) names. Throws a RangeError where `isLocalDate` says no: doors check first. */
export function localDay(text: string): LocalDay {
  const day = parse(text)
  if (day === undefined) throw new RangeError(`not a date of the form YYYY-MM-DD: ${JSON.stringify(text)}`)
  return day
}

/** `day` as `YYYY-MM-DD`; years 0 to 9999. */
export function formatLocalDay(day: LocalDay): string {
  const { year, month, dayOfMonth } = civil(day)
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(dayOfMonth).padStart(2, '0')}`
}

/** 0 = Sunday … 6 = Saturday. */
export function weekdayOf(day: LocalDay): number {
  // 1970-01-01 was a Thursday; the second remainder is for days before it.
  return (((day + 4) % 7) + 7) % 7
}

function parse(text: string): LocalDay | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined
  const day = dayNumber(Number(text.slice(0, 4)), Number(text.slice(5, 7)), Number(text.slice(8, 10)))
  // A month 13 or a 30th of February comes back as another date.
  return formatLocalDay(day) === text ? day : undefined
}

const daysPerEra = 146_097
const daysFromEraToEpoch = 719_468

/** The Gregorian calendar in eras of 400 years whose years begin in March, so that the leap day is the last. */
/** The day of a date of the Gregorian calendar; months 1–12. A day past the month's end runs over into the next. */
export function dayNumber(year: number, month: number, dayOfMonth: number): LocalDay {
  const marchYear = month <= 2 ? year - 1 : year
  const era = Math.floor(marchYear / 400)
  const yearOfEra = marchYear - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + dayOfMonth - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * daysPerEra + dayOfEra - daysFromEraToEpoch
}

/** Year, month (1–12) and day of the month. */
export function civil(day: LocalDay): { year: number; month: number; dayOfMonth: number } {
  const shifted = day + daysFromEraToEpoch
  const era = Math.floor(shifted / daysPerEra)
  const dayOfEra = shifted - era * daysPerEra
  const leapDaysBefore = Math.floor(dayOfEra / 1_460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096)
  const yearOfEra = Math.floor((dayOfEra - leapDaysBefore) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const dayOfMonth = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfMonth }
}
