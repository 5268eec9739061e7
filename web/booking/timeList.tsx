// The free times of one day.
import { fill, formatClearTimes, formatDay, formatShortDay } from '../shared/format.ts'
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
  const texts = formatClearTimes(starts, locale, timezone)
  return (
    <section aria-label={fill(words.times.title, { day })}>
      <h2 className="dayTitle" aria-live="polite">
        {formatShortDay(first, locale, timezone)}
      </h2>
      <ul className="timeList">
        {starts.map((start, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: another day is the same buttons with other times, which costs half
          <li key={index}>
            <button
              type="button"
              className="time"
              aria-label={`${texts[index]}, ${day}, ${timezone}`}
              aria-current={start === chosen ? 'true' : undefined}
              onClick={() => onChoose(start)}
            >
              {texts[index]}
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}
