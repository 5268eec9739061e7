// Times and lengths as people of a locale write them. Instants are Unix seconds.

/** `words` with `{name}` filled in; an abbreviation at the end of a sentence ends it (`30 Tg.`), without a second full stop. */
export function fill(words: string, values: Readonly<Record<string, string | number>>): string {
  return words.replace(/\{(\w+)\}(\.?)/g, (token, name: string, stop: string) => {
    if (!(name in values)) return token
    const value = String(values[name])
    return value.endsWith('.') ? value : value + stop
  })
}

/**
 * The browser's own tag of the page's language (`en-GB` for `en`), so that clocks and dates are the guest's; always in
 * the calendar that bookings are reckoned in.
 */
export function localeOf(language: string, preferred: readonly string[]): string {
  const own = preferred.map(baseOf).find((tag) => tag?.toLowerCase().split('-')[0] === language)
  return `${own ?? language}-u-ca-gregory`
}

/** Without extensions. Undefined of what is no tag: systems hand on names of their own (`en-US@posix`). */
function baseOf(tag: string): string | undefined {
  try {
    return new Intl.Locale(tag).baseName
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** `Ada and Bob`. Where one of them, or the word between them, is written from right to left, none pulls the others around. */
export function formatList(names: readonly string[], locale: string): string {
  const list = new Intl.ListFormat(locale, { type: 'conjunction' })
  const text = list.format(names)
  return names.length > 1 && /[\u0590-\u08ff]/.test(text)
    ? list.format(names.map((name) => `\u2068${name}\u2069`))
    : text
}

/** `7 days`, as short as the locale writes it. */
export function formatDays(count: number, locale: string): string {
  return new Intl.NumberFormat(locale, { style: 'unit', unit: 'day', unitDisplay: 'short' }).format(count)
}

const styles = {
  day: { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' },
  shortDay: { weekday: 'long', day: 'numeric', month: 'long' },
  month: { month: 'long', year: 'numeric' },
  shortWeekday: { weekday: 'short' },
  narrowWeekday: { weekday: 'narrow' },
  longWeekday: { weekday: 'long' },
  shortMoment: { weekday: 'short', day: 'numeric', month: 'short', hour: 'numeric', minute: '2-digit' },
  time: { timeStyle: 'short' },
  offset: { timeZoneName: 'shortOffset' },
  zoneName: { timeZoneName: 'longGeneric' },
  exactZoneName: { timeZoneName: 'long' },
} satisfies Record<string, Intl.DateTimeFormatOptions>

const writers = new Map<string, Intl.DateTimeFormat>()

/** Making one takes longer than using it a hundred times, and a page uses few. */
function writer(style: keyof typeof styles, locale: string, timezone: string): Intl.DateTimeFormat {
  const key = `${style} ${locale} ${timezone}`
  let found = writers.get(key)
  if (found === undefined) {
    found = new Intl.DateTimeFormat(locale, { ...styles[style], timeZone: timezone })
    writers.set(key, found)
  }
  return found
}

/** `Tuesday, 3 March 2026` */
export function formatDay(at: number, locale: string, timezone: string): string {
  return writer('day', locale, timezone).format(at * 1_000)
}

/** `Tuesday, 3 March`: under a month that shows the year. */
export function formatShortDay(at: number, locale: string, timezone: string): string {
  return writer('shortDay', locale, timezone).format(at * 1_000)
}

/** `March 2026`, of a month written `2026-03`. */
export function formatMonth(month: string, locale: string): string {
  return writer('month', locale, 'UTC').format(Date.parse(`${month}-15T00:00:00Z`))
}

/** Over a seventh of a narrow screen there is room for so many letters. */
const columnLetters = 4

/** `Tue`, of an instant in UTC: a single letter where the locale has nothing else that is short. */
export function formatShortWeekday(at: number, locale: string): string {
  const text = writer('shortWeekday', locale, 'UTC').format(at * 1_000)
  return text.length > columnLetters ? writer('narrowWeekday', locale, 'UTC').format(at * 1_000) : text
}

/** `Tuesday`, of an instant in UTC. */
export function formatWeekday(at: number, locale: string): string {
  return writer('longWeekday', locale, 'UTC').format(at * 1_000)
}

/** Numbers in the locale's own digits. */
export function numberWriter(locale: string): (number: number) => string {
  return new Intl.NumberFormat(locale).format
}

/** `Tue, Mar 3, 9:30 AM`, with its offset where that reading comes twice. */
export function formatShortMoment(at: number, locale: string, timezone: string): string {
  const text = writer('shortMoment', locale, timezone).format(at * 1_000)
  return isTwice(at, locale, timezone) ? `${text} (${formatOffset(at, locale, timezone)})` : text
}

/** `9:30 AM` or `09:30`, as the locale has it. */
export function formatTime(at: number, locale: string, timezone: string): string {
  return writer('time', locale, timezone).format(at * 1_000)
}

/**
 * As `formatTime`, of starts of one day in order. In the night when clocks go back, readings that come twice have their
 * offset beside them, whether or not both are free.
 */
export function formatClearTimes(starts: readonly number[], locale: string, timezone: string): string[] {
  const margin = Math.max(...stepsBackMinutes) * 60
  const around = [(starts[0] ?? 0) - margin, (starts.at(-1) ?? 0) + margin]
  const offsets = around.map((at) => formatOffset(at, locale, timezone))
  const mayRepeat = offsets[0] !== offsets[1]
  const clock = writer('time', locale, timezone)
  return starts.map((at) => {
    const text = clock.format(at * 1_000)
    return mayRepeat && isTwice(at, locale, timezone) ? `${text} (${formatOffset(at, locale, timezone)})` : text
  })
}

/** By an hour in most places, by half of one on Lord Howe Island, by two at Troll. */
const stepsBackMinutes = [30, 60, 120]

function isTwice(at: number, locale: string, timezone: string): boolean {
  const text = formatTime(at, locale, timezone)
  return stepsBackMinutes
    .flatMap((minutes) => [-minutes, minutes])
    .some((minutes) => formatTime(at + minutes * 60, locale, timezone) === text)
}

/** `9:30 – 10:00 AM`, with both days where they differ; with both offsets where one of the readings comes twice. */
export function formatTimes(start: number, end: number, locale: string, timezone: string): string {
  if (isTwice(start, locale, timezone) || isTwice(end, locale, timezone)) {
    const days = [start, end].map((at) => formatDay(at, locale, timezone))
    const clock = writer(days[0] === days[1] ? 'time' : 'shortMoment', locale, timezone)
    return [start, end].map((at) => `${clock.format(at * 1_000)} (${formatOffset(at, locale, timezone)})`).join(' – ')
  }
  return writer('time', locale, timezone).formatRange(start * 1_000, end * 1_000)
}

/** A zone in two parts: `Central European Time` and `Berlin (GMT+1)`; the first is the city where the locale has no word. */
export function describeZone(at: number, locale: string, timezone: string): readonly [string, string] {
  if (/^(Etc\/)?(UTC|UCT|GMT|Universal|Zulu)$/.test(timezone))
    return [nameZone('exactZoneName', at, locale, timezone), 'UTC']
  const city = cityOf(timezone)
  const offset = formatOffset(at, locale, timezone)
  const name = nameZone('zoneName', at, locale, timezone)
  // Without a word of their own, locales write the offset again.
  return /[+\u2212-]|[0-9\u0660-\u0669]/.test(name) ? [city, offset] : [name, `${city} (${offset})`]
}

/** `GMT+5:30` at that time of the year. */
export function formatOffset(at: number, locale: string, timezone: string): string {
  return nameZone('offset', at, locale, timezone)
}

function nameZone(style: 'offset' | 'zoneName' | 'exactZoneName', at: number, locale: string, timezone: string) {
  const parts = writer(style, locale, timezone).formatToParts(at * 1_000)
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? timezone
}

/** Browsers keep to the names that zones had first, long after their cities were given others. */
const renamed: Readonly<Record<string, string>> = {
  Calcutta: 'Kolkata',
  Faeroe: 'Faroe',
  Godthab: 'Nuuk',
  Katmandu: 'Kathmandu',
  Kiev: 'Kyiv',
  Rangoon: 'Yangon',
  Saigon: 'Ho Chi Minh',
}

/** `Buenos Aires` of `America/Argentina/Buenos_Aires`. */
export function cityOf(timezone: string): string {
  const city = (timezone.split('/').at(-1) ?? timezone).replaceAll('_', ' ')
  return renamed[city] ?? city
}
