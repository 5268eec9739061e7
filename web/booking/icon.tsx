// A drawn sign beside words that say the same.
import type { ReactNode } from 'react'

/** On a field of 20 × 20, in lines of the colour of the text. */
export function Icon({ children }: { readonly children: ReactNode }) {
  return (
    <svg
      viewBox="0 0 20 20"
      width="18"
      height="18"
      aria-hidden="true"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
    >
      {children}
    </svg>
  )
}
