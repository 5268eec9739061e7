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
      <h2 className="dayTitle" aria-live="polite">
        {formatShortDay(first, locale, timezone)}
      </h2>
      <ul className="timeList">
        {writeTimes(starts, locale, timezone).map(({ start, text }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: another day is the same buttons with other times, which costs half
          <li key={index}>
            <button
              type="button"
              className="time"
              aria-label={`${text}, ${day}, ${timezone}`}
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
  const texts = starts.map((start) => formatTime(start, locale, timezone))
  const isOften = new Set(texts).size < texts.length
  return starts.map((start, index) => {
    const text = texts[index] ?? ''
    const isTwice = isOften && texts.indexOf(text) !== texts.lastIndexOf(text)
    return { start, text: isTwice ? `${text} (${formatOffset(start, locale, timezone)})` : text }
  })
}
