// The free times of one day.
import { fill, formatClearTime, formatDay, formatShortDay } from '../shared/format.ts'
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
        {starts.map((start) => {
          const text = formatClearTime(start, locale, timezone)
          return (
            <li key={start}>
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
          )
        })}
      </ul>
    </section>
  )
}
