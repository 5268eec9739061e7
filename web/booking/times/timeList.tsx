// The free times of one day.
import { type MouseEvent, memo, useId } from 'react'

import { fill, formatClearTimes, formatDay, formatShortDay } from '../../shared/format.ts'
import { usePage } from '../page.tsx'

type TimeListProps = {
  readonly starts: readonly number[]
  readonly timezone: string
  readonly chosen: number | undefined
  onChoose(start: number): void
}

export function TimeList({ starts, timezone, chosen, onChoose }: TimeListProps) {
  const { words, locale } = usePage()
  const id = useId()
  const [first = 0] = starts
  const day = formatDay(first, locale, timezone)
  const texts = formatClearTimes(starts, locale, timezone)
  const choose = ({ target, currentTarget }: MouseEvent) => {
    const item = (target as Element).closest('li')
    const start = starts[Array.prototype.indexOf.call(currentTarget.children, item)]
    if (start !== undefined) onChoose(start)
  }
  return (
    <section aria-label={fill(words.times.title, { day })}>
      <h2 className="dayTitle" aria-live="polite" tabIndex={-1}>
        {formatShortDay(first, locale, timezone)}
      </h2>
      <span id={id} hidden>
        {`${day}, ${timezone}`}
      </span>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: keys press buttons */}
      <ul className="timeList" onClick={choose}>
        {texts.map((text, index) => (
          <Time key={text} dayId={id} text={text} isChosen={starts[index] === chosen} />
        ))}
      </ul>
    </section>
  )
}

type TimeProps = {
  /** Of the words for ears that say on which day and in which zone the time is. */
  readonly dayId: string
  readonly text: string
  readonly isChosen: boolean
}

/** Nothing of it changes with the day: what is free at the same time on another day is the same button. */
const Time = memo(function Time({ dayId, text, isChosen }: TimeProps) {
  const id = useId()
  return (
    <li>
      <button
        type="button"
        id={id}
        className="time"
        aria-labelledby={`${id} ${dayId}`}
        aria-current={isChosen ? 'true' : undefined}
      >
        {text}
      </button>
    </li>
  )
})
