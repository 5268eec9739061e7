// The form as a step of the browser's own history: going back leads to the times, with everything as it was.
import { type RefObject, useEffect, useRef, useState } from 'react'

export type FormStep = {
  readonly isOpen: boolean
  readonly heading: RefObject<HTMLHeadingElement | null>
  open(): void
  close(): void
}

export function useFormStep(): FormStep {
  const [isOpen, setOpen] = useState(false)
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    const follow = () => setOpen(history.state?.openslotStep === 'form')
    window.addEventListener('popstate', follow)
    return () => window.removeEventListener('popstate', follow)
  }, [])
  useEffect(() => {
    if (isOpen) heading.current?.focus()
  }, [isOpen])
  return {
    isOpen,
    heading,
    open: () => {
      if (!isOpen) history.pushState({ openslotStep: 'form' }, '')
      setOpen(true)
    },
    close: () => history.back(),
  }
}
