// What a page takes along when it loads itself again: in the history, the one thing that pages may keep.
import { useEffect, useState } from 'react'

import type { LinkedBooking } from '../../../src/wire/pages.ts'
import type { Words } from '../languages/en.ts'

/** The page as the server has it now, which finds `taken` once. */
export function loadAgain(taken: object): void {
  history.replaceState({ openslotTaken: taken }, '')
  location.reload()
}

/** What the page was loaded again with; undefined where it was opened, or loaded by hand. */
export function useTaken<Taken extends object>(): Taken | undefined {
  const [taken] = useState<Taken | undefined>(() => history.state?.openslotTaken)
  useEffect(() => {
    if (taken !== undefined) history.replaceState(null, '')
  }, [taken])
  return taken
}

/** What was tried with a booking and refused because the page was old; the start is the one that was shown. */
export type Tried = { readonly start: number; readonly failure?: string }

/** Of a try before the page was loaded again: a new time is said to be new, by `moved`. */
export function failureOf(
  tried: Tried | undefined,
  { start_time }: LinkedBooking,
  { errors }: Words,
  moved = errors.moved,
): string | undefined {
  return tried !== undefined && tried.start !== start_time ? moved : tried?.failure
}
