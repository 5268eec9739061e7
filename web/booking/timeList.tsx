// The free times of one day.
import { type MouseEvent, memo, useId } from 'react'

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
  const id = useId()
  const [first = 0] = starts
  const day = formatDay(first, locale, timezone)
  const texts = formatClearTimes(starts, locale, timezone)
  const choose = ({ target }: MouseEvent) => {
    const index = (target as Element).closest<HTMLElement>('[data-index]')?.dataset.index
    const start = starts[Number(index)]
    if (start !== undefined) onChoose(start)
  }
  return (
    <section aria-label={fill(words.times.title, { day })}>
      <h2 className="dayTitle" aria-live="polite">
        {formatShortDay(first, locale, timezone)}
      </h2>
      <span id={id} hidden>
        {`${day}, ${timezone}`}
      </span>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: keys press buttons */}
      <ul className="timeList" onClick={choose}>
        {texts.map((text, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: another day is the same buttons with other times, which costs half
          <Time key={index} dayId={id} index={index} text={text} isChosen={starts[index] === chosen} />
        ))}
      </ul>
    </section>
  )
}

type TimeProps = {
  /** Of the words for ears that say on which day and in which zone the time is. */
  readonly dayId: string
  readonly index: number
  readonly text: string
  readonly isChosen: boolean
}

/** Nothing of it changes with the day but the time itself, so days that are alike share it as it stands. */
const Time = memo(function Time({ dayId, index, text, isChosen }: TimeProps) {
  const id = `${dayId}${index}`
  return (
    <li>
      <button
        type="button"
        id={id}
        className="time"
        data-index={index}
        aria-labelledby={`${id} ${dayId}`}
        aria-current={isChosen ? 'true' : undefined}
      >
        {text}
      </button>
    </li>
  )
})
