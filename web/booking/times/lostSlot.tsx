// The slot went to someone else while the form was open: the nearest that are left, without a word of the form lost.
import { useEffect, useRef } from 'react'

import { nearest } from '../../shared/days.ts'
import { formatShortMoment } from '../../shared/format.ts'
import { usePage } from '../page.tsx'

type LostSlotProps = {
  readonly starts: readonly number[]
  readonly lost: number
  readonly timezone: string
  /** What is said of the form that the guest has filled in. */
  readonly kept?: string
  onChoose(start: number): void
  onAll(): void
}

const offered = 4

export function LostSlot({ starts, lost, timezone, kept, onChoose, onAll }: LostSlotProps) {
  const { words, locale } = usePage()
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => box.current?.focus(), [])
  const others = nearest(starts, lost, offered)
  return (
    <div ref={box} tabIndex={-1} className="alert lost" role="alert">
      <p>{words.times.taken}</p>
      {kept !== undefined && <p>{kept}</p>}
      {others.length > 0 && <p>{words.times.nearest}</p>}
      <ul>
        {others.map((start) => (
          <li key={start}>
            <button type="button" onClick={() => onChoose(start)}>
              {formatShortMoment(start, locale, timezone)}
            </button>
          </li>
        ))}
        <li>
          <button type="button" className="quiet" onClick={onAll}>
            {words.times.others}
          </button>
        </li>
      </ul>
    </div>
  )
}
