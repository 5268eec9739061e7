// The slot went to someone else, or came too near, while the form was open: the nearest that are left, without a word of the form lost.
import { useEffect, useRef, useState } from 'react'

import { unixNow } from '../../shared/clock.ts'
import { nearest } from '../../shared/days.ts'
import { formatShortMoment } from '../../shared/format.ts'
import { usePage } from '../page.tsx'
import type { Choice } from './useChoice.ts'
import type { Slots } from './useSlots.ts'

type LostSlotProps = {
  readonly slots: Slots
  readonly choice: Pick<Choice<unknown, unknown>, 'choose' | 'change'>
  readonly lost: number
  readonly timezone: string
  /** How long before its start a slot can still be booked. */
  readonly noticeMinutes: number
  /** What is said of the form that the guest has filled in. */
  readonly kept?: string
}

const offered = 4

export function LostSlot({ slots, choice, lost, timezone, noticeMinutes, kept }: LostSlotProps) {
  const { words, locale } = usePage()
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => box.current?.focus(), [])
  const [isTooSoon] = useState(() => lost - unixNow() < noticeMinutes * 60)
  const others = nearest(slots.starts, lost, offered)
  const showAll = () => {
    choice.change()
    // Meanwhile it may be free again.
    void slots.refresh(lost)
  }
  return (
    <div ref={box} tabIndex={-1} className="alert lost" role="alert">
      <p>{isTooSoon ? words.times.tooSoon : words.times.taken}</p>
      {kept !== undefined && <p>{kept}</p>}
      {others.length > 0 && <p>{words.times.nearest}</p>}
      <ul>
        {others.map((start) => (
          <li key={start}>
            <button type="button" onClick={() => choice.choose(start)}>
              {formatShortMoment(start, locale, timezone)}
            </button>
          </li>
        ))}
        <li>
          <button type="button" className="quiet" onClick={showAll}>
            {words.times.others}
          </button>
        </li>
      </ul>
    </div>
  )
}
