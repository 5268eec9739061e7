// The free slots that a page knows: those it was given with, and what it has asked for since.
import { useCallback, useEffect, useRef, useState } from 'react'

import type { SlotStarts } from '../../src/wire/pages.ts'
import { call } from '../shared/client.ts'

const daySeconds = 86_400
/** The most that one question may span. */
const spanSeconds = 90 * daySeconds

export type SlotSource = {
  readonly configurationId: string
  readonly token?: string | undefined
  /** A booking that is to be moved: its own time counts as free. */
  readonly bookingId?: string | undefined
}

export type Slots = SlotStarts & {
  readonly state: 'ready' | 'loading' | 'failed'
  /** Asks for what is missing before `until`, Unix seconds. */
  need(until: number): void
  /** Asks again for everything from now, since `lost` is not free; where nobody can tell, it is taken out and the rest stays. */
  refresh(lost: number): Promise<void>
}

export function useSlots(source: SlotSource, initial: SlotStarts | undefined): Slots {
  const { configurationId, token, bookingId } = source
  const [known, setKnown] = useState<SlotStarts>(initial ?? emptyNow())
  const [wanted, setWanted] = useState(initial?.until ?? known.from + 40 * daySeconds)
  const [hasFailed, setFailed] = useState(false)
  const isAsking = useRef(false)

  const ask = useCallback(
    async (from: number, until: number): Promise<readonly number[] | undefined> => {
      const found = await call<{ time_slots: readonly { start_time: number }[] }>({
        method: 'GET',
        path: '/v3/scheduling/availability',
        token,
        query: {
          ...(token === undefined ? { configuration_id: configurationId } : {}),
          booking_id: bookingId,
          start_time: from,
          end_time: until,
        },
      })
      return found.ok ? found.value.time_slots.map(({ start_time }) => start_time) : undefined
    },
    [configurationId, token, bookingId],
  )

  useEffect(() => {
    if (wanted <= known.until || hasFailed || isAsking.current) return
    isAsking.current = true
    const until = Math.min(wanted, known.until + spanSeconds)
    void ask(known.until, until).then((starts) => {
      isAsking.current = false
      if (starts === undefined) setFailed(true)
      else setKnown((before) => ({ from: before.from, until, starts: [...before.starts, ...starts] }))
    })
  }, [ask, wanted, known, hasFailed])

  const need = useCallback((until: number) => {
    setFailed(false)
    setWanted((before) => Math.max(before, until))
  }, [])

  const refresh = useCallback(
    async (lost: number) => {
      const { from } = emptyNow()
      const all: number[] = []
      for (let start = from; start < known.until; start += spanSeconds) {
        const starts = await ask(start, Math.min(known.until, start + spanSeconds))
        if (starts === undefined) {
          setKnown((before) => ({ ...before, starts: before.starts.filter((one) => one !== lost) }))
          return
        }
        all.push(...starts)
      }
      setKnown({ from, until: known.until, starts: all })
    },
    [ask, known.until],
  )

  const state = hasFailed ? 'failed' : wanted > known.until ? 'loading' : 'ready'
  return { ...known, state, need, refresh }
}

function emptyNow(): SlotStarts {
  const from = Math.floor(Date.now() / 1_000)
  return { from, until: from, starts: [] }
}
