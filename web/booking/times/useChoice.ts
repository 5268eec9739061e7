// From a time to what has become of it. The form is a step of the browser's own history: going back leads to the times,
// with everything as it was. In a frame the history is the site's: a step back may be theirs, and browsers then refuse it.
// What has been sent is waited for where it was sent from, whatever is pressed.
import { type RefObject, useEffect, useRef, useState } from 'react'

import { endWithThisClick } from '../doubleClick.ts'
import { isFramed } from '../frame.ts'

/** What became of what was sent. */
export type Ending<Done, Failure = string> =
  | { readonly is: 'done'; readonly done: Done }
  | { readonly is: 'lost' }
  | { readonly is: 'refused'; readonly failure: Failure }

type Standing<Done, Failure> = Ending<Done, Failure> | { readonly is: 'open' } | { readonly is: 'sending' }

export type Choice<Done, Failure> = {
  /** The start that was chosen last. */
  readonly start: number | undefined
  readonly standing: Standing<Done, Failure>
  /** Whether the form for `start` is to be shown, instead of times. */
  readonly isOpen: boolean
  /** Of the form: takes the focus when it opens, and when it comes to be about another time. */
  readonly heading: RefObject<HTMLHeadingElement | null>
  choose(start: number): void
  /** Back to the times. */
  change(): void
  send(trying: () => Promise<Ending<Done, Failure>>): Promise<void>
}

type Chosen<Done, Failure> = { readonly start: number; readonly standing: Standing<Done, Failure> }

export function useChoice<Done, Failure = string>(): Choice<Done, Failure> {
  const [chosen, setChosen] = useState<Chosen<Done, Failure>>()
  // A page that was loaded again stands where it stood in the history, and has forgotten what was chosen.
  const [isStep, setStep] = useState(isFormStep)
  const isSending = useRef(false)
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    if (isFramed) return
    const follow = () => {
      if (isSending.current && !isFormStep()) history.forward()
      else setStep(isFormStep())
    }
    window.addEventListener('popstate', follow)
    return () => window.removeEventListener('popstate', follow)
  }, [])
  const isOpen = isStep && chosen !== undefined
  const opened = isOpen ? chosen.start : undefined
  useEffect(() => {
    if (opened !== undefined) heading.current?.focus()
  }, [opened])
  return {
    start: chosen?.start,
    standing: chosen?.standing ?? { is: 'open' },
    isOpen,
    heading,
    choose: (start) => {
      endWithThisClick()
      if (!isStep && !isFramed) history.pushState({ openslotStep: 'form' }, '')
      setStep(true)
      setChosen({ start, standing: { is: 'open' } })
    },
    change: () => {
      if (isSending.current) return
      endWithThisClick()
      if (isFramed) setStep(false)
      else history.back()
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
  return !isFramed && history.state?.openslotStep === 'form'
}
