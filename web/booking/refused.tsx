// What was refused and why, and the way on where it is the page that is old.
import { useEffect, useRef } from 'react'

import { usePage } from './page.tsx'

type RefusedProps = {
  readonly text: string
  /** Where it is there from the start, and nothing else would lead to it. */
  readonly takesFocus?: boolean
  /** Offered where it is present. */
  readonly onReload?: (() => void) | undefined
}

export function Refused({ text, takesFocus = false, onReload }: RefusedProps) {
  const { words } = usePage()
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (takesFocus) box.current?.focus()
  }, [takesFocus])
  return (
    <div ref={box} tabIndex={-1} className="alert refused" role="alert">
      <p>{text}</p>
      {onReload !== undefined && (
        <button type="button" onClick={onReload}>
          {words.errors.reload}
        </button>
      )}
    </div>
  )
}
