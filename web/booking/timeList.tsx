// The free times of one day.
import { fill, formatDay, formatOffset, formatShortDay, formatTime } from '../shared/format.ts'
import { usePage } from './page.tsx'

type TimeListProps = {
  readonly starts: readonly number[]
  readonly timezone: string
  readonly chosen: number | undefined
  onChoose(start: number): void
}

export function TimeList({ starts, timezone, chosen, onChoose }: TimeListProps) {
  const { words, locale } = usePage()
  const [first = 0] = starts
  const day = formatDay(first, locale, timezone)
  return (
    <section aria-label={fill(words.times.title, { day })}>
      <h2 className="dayTitle">{formatShortDay(first, locale, timezone)}</h2>
      <ul className="timeList">
        {writeTimes(starts, locale, timezone).map(({ start, text, spoken }) => (
          <li key={start}>
            <button
              type="button"
              className="time"
              aria-label={`${spoken}, ${day}, ${timezone}`}
              aria-current={start === chosen ? 'true' : undefined}
              onClick={() => onChoose(start)}
            >
              {text}
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}

/** In the night when clocks go back, a reading comes twice: then the offset tells them apart. */
function writeTimes(starts: readonly number[], locale: string, timezone: string) {
  const times = starts.map((start) => ({ start, text: formatTime(start, locale, timezone) }))
  return times.map(({ start, text }) => {
    const isTwice = times.filter((other) => other.text === text).length > 1
    const shown = isTwice ? `${text} (${formatOffset(start, locale, timezone)})` : text
    return { start, text: shown, spoken: shown }
  })
}
