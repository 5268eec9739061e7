// From a time to what has become of it. The form is a step of the browser's own history: going back leads to the times,
// with everything as it was. What has been sent is waited for where it was sent from, whatever is pressed.
import { type RefObject, useEffect, useRef, useState } from 'react'

/** What became of what was sent. */
export type Ending<Done> =
  | { readonly is: 'done'; readonly done: Done }
  | { readonly is: 'lost' }
  | { readonly is: 'refused'; readonly failure: string }

export type Standing<Done> = Ending<Done> | { readonly is: 'open' } | { readonly is: 'sending' }

export type Choice<Done> = {
  /** The start that was chosen last. */
  readonly start: number | undefined
  readonly standing: Standing<Done>
  /** Whether the form for `start` is to be shown, instead of times. */
  readonly isOpen: boolean
  /** Of the form: takes the focus when it opens. */
  readonly heading: RefObject<HTMLHeadingElement | null>
  choose(start: number): void
  /** Back to the times. */
  change(): void
  send(trying: () => Promise<Ending<Done>>): Promise<void>
}

type Chosen<Done> = { readonly start: number; readonly standing: Standing<Done> }

export function useChoice<Done>(): Choice<Done> {
  const [chosen, setChosen] = useState<Chosen<Done>>()
  // A page that was loaded again stands where it stood in the history, and has forgotten what was chosen.
  const [isStep, setStep] = useState(isFormStep)
  const isSending = useRef(false)
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    const follow = () => {
      if (isSending.current && !isFormStep()) history.forward()
      else setStep(isFormStep())
    }
    window.addEventListener('popstate', follow)
    return () => window.removeEventListener('popstate', follow)
  }, [])
  const isOpen = isStep && chosen !== undefined
  useEffect(() => {
    if (isOpen) heading.current?.focus()
  }, [isOpen])
  return {
    start: chosen?.start,
    standing: chosen?.standing ?? { is: 'open' },
    isOpen,
    heading,
    choose: (start) => {
      if (!isStep) history.pushState({ openslotStep: 'form' }, '')
      setStep(true)
      setChosen({ start, standing: { is: 'open' } })
    },
    change: () => {
      if (!isSending.current) history.back()
    },
    send: async (trying) => {
      if (chosen === undefined || isSending.current) return
      isSending.current = true
      setChosen({ ...chosen, standing: { is: 'sending' } })
      const standing = await trying()
      isSending.current = false
      setChosen({ ...chosen, standing })
    },
  }
}

function isFormStep(): boolean {
  return history.state?.openslotStep === 'form'
}
