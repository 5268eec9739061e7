// The free slots that a page knows: those it was given with, and what it has asked for since.
import { useCallback, useEffect, useRef, useState } from 'react'

import type { SlotStarts } from '../../../src/wire/pages.ts'
import { call } from '../../shared/client.ts'
import { unixNow } from '../../shared/clock.ts'
import { isOutdated } from '../calls/refusals.ts'

const daySeconds = 86_400
/** The most that one question may span. */
const spanSeconds = 90 * daySeconds
/** Whoever comes back to the page after longer than this is shown what is free by then. */
const believedSeconds = 300

export type SlotSource = {
  readonly configurationId: string
  readonly token?: string | undefined
  /** A booking that is to be moved: its own time counts as free. */
  readonly bookingId?: string | undefined
  /** How long a slot was when the page was made. */
  readonly minutes: number
}

/** `outdated`: what can be booked is not what the page says. `expired`: its session is over. */
type Unknown = 'failed' | 'outdated' | 'expired'

export type Slots = SlotStarts & {
  readonly state: 'ready' | 'loading' | Unknown
  /** Asks for what is missing before `until`, Unix seconds. */
  need(until: number): void
  /**
   * Asks again for everything from now, since `lost` is not free; where nobody can tell, it is taken out with all that has
   * passed, and the rest stays. Answers whether the page is still about what can be booked.
   */
  refresh(lost?: number): Promise<'current' | 'outdated'>
}

export function useSlots(source: SlotSource, initial: SlotStarts | undefined): Slots {
  const { configurationId, token, bookingId, minutes } = source
  const [known, setKnown] = useState<SlotStarts>(initial ?? emptyNow())
  const [wanted, setWanted] = useState(initial?.until ?? known.from + 40 * daySeconds)
  const [failed, setFailed] = useState<Unknown>()
  const isAsking = useRef(false)

  const ask = useCallback(
    async (from: number, until: number): Promise<readonly number[] | Unknown> => {
      const found = await call<{ time_slots: readonly { start_time: number; end_time: number }[] }>({
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
      if (!found.ok) {
        if (found.problem.type === 'invalid_session') return 'expired'
        return isOutdated(found.problem) ? 'outdated' : 'failed'
      }
      const { time_slots } = found.value
      const isSame = time_slots.every(({ start_time, end_time }) => end_time - start_time === minutes * 60)
      return isSame ? time_slots.map(({ start_time }) => start_time) : 'outdated'
    },
    [configurationId, token, bookingId, minutes],
  )

  useEffect(() => {
    if (wanted <= known.until || failed !== undefined || isAsking.current) return
    isAsking.current = true
    const until = Math.min(wanted, known.until + spanSeconds)
    void ask(known.until, until).then((starts) => {
      isAsking.current = false
      if (typeof starts === 'string') setFailed(starts)
      else setKnown((before) => ({ from: before.from, until, starts: [...before.starts, ...starts] }))
    })
  }, [ask, wanted, known, failed])

  const need = useCallback((until: number) => {
    setFailed(undefined)
    setWanted((before) => Math.max(before, until))
  }, [])

  const refresh = useCallback(
    async (lost?: number): Promise<'current' | 'outdated'> => {
      const { from } = emptyNow()
      const all: number[] = []
      for (let start = from; start < known.until; start += spanSeconds) {
        const starts = await ask(start, Math.min(known.until, start + spanSeconds))
        if (starts === 'outdated') return starts
        if (typeof starts === 'string') {
          setKnown((before) => ({ ...before, starts: before.starts.filter((one) => one >= from && one !== lost) }))
          return 'current'
        }
        all.push(...starts)
      }
      setKnown({ from, until: Math.max(from, known.until), starts: all })
      return 'current'
    },
    [ask, known.until],
  )

  // A page may stand open over night, or come back as the browser kept it.
  const isComingBack = useRef(false)
  useEffect(() => {
    const comeBack = async () => {
      if (document.hidden || isComingBack.current || emptyNow().from - known.from < believedSeconds) return
      isComingBack.current = true
      if ((await refresh()) === 'outdated') setFailed('outdated')
      isComingBack.current = false
    }
    document.addEventListener('visibilitychange', comeBack)
    window.addEventListener('focus', comeBack)
    return () => {
      document.removeEventListener('visibilitychange', comeBack)
      window.removeEventListener('focus', comeBack)
    }
  }, [refresh, known.from])

  const state = failed ?? (wanted > known.until ? 'loading' : 'ready')
  return { ...known, state, need, refresh }
}

function emptyNow(): SlotStarts {
  const from = Math.floor(unixNow())
  return { from, until: from, starts: [] }
}
