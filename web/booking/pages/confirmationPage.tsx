// The organizer's yes or no to a request: who, when, what, and whether the time is still free.
import { useEffect, useRef, useState } from 'react'

import type { LinkedBooking, Stands } from '../../../src/wire/pages.ts'
import type { UiSettings } from '../../../src/wire/uiSettings.ts'
import { fill } from '../../shared/format.ts'
import { ownTimezone } from '../../shared/timezone.ts'
import { answerRequest, type RequestAnswer } from '../calls/booking.ts'
import { explain, isOutdated } from '../calls/refusals.ts'
import { failureOf, loadAgain, type Tried, useTaken } from '../calls/taken.ts'
import { Reason } from '../form/reason.tsx'
import { tellFrame, tellReady } from '../frame.ts'
import { BookingFacts, hasBegun, peopleAndAnswers } from '../outcome/currentBooking.tsx'
import { Done } from '../outcome/done.tsx'
import { usePage, useTyped } from '../page.tsx'
import { Refused } from '../refused.tsx'

type ConfirmationPageProps = {
  readonly settings: UiSettings
  readonly booking: LinkedBooking
  readonly salt: string
  readonly stands: Stands
}

type Answer = 'confirmed' | 'declined'

export function ConfirmationPage({ settings, booking: shown, salt, stands }: ConfirmationPageProps) {
  const { words, parameters } = usePage()
  // The organizer reads it in the zone that they are in, not in the guest's.
  const booking = { ...shown, timezone: ownTimezone() }
  const before = useTaken<Tried & { readonly isDeclining: boolean; readonly reason: string }>()
  const [isDeclining, setDeclining] = useState(before?.isDeclining ?? false)
  const [reason, setReason] = useState(before?.reason ?? '')
  const [isSending, setSending] = useState(false)
  const [failure, setFailure] = useState(failureOf(before, booking, words, words.confirmation.movedMeanwhile))
  const [answer, setAnswer] = useState<Answer>()
  const heading = useRef<HTMLHeadingElement>(null)
  const decline = useRef<HTMLButtonElement>(null)
  const wasDeclining = useRef(isDeclining)
  useEffect(tellReady, [])
  useTyped(isDeclining ? { start: booking.start_time, isDeclining, reason } : undefined)
  useEffect(() => {
    if (isDeclining !== wasDeclining.current) (isDeclining ? heading : decline).current?.focus()
    wasDeclining.current = isDeclining
  }, [isDeclining])

  const guest = booking.guest.name || booking.guest.email
  const send = async (wanted: RequestAnswer['answer']) => {
    if (isSending) return
    setSending(true)
    setFailure(undefined)
    const sent = await answerRequest({ booking, salt, answer: wanted })
    if (sent.ok) {
      const isYes = sent.value.wish.answer.status === 'confirmed'
      tellFrame(isYes ? 'booked' : 'cancelled', { booking_id: booking.booking_id })
      setAnswer(isYes ? 'confirmed' : 'declined')
    } else {
      const told = explain(sent.problem, words)
      // Of one that has begun, the page says so in its own words.
      const tried = { start: booking.start_time, isDeclining, reason, ...(hasBegun(booking) ? {} : { failure: told }) }
      if (isOutdated(sent.problem)) loadAgain(tried)
      else setFailure(told)
    }
    setSending(false)
  }
  const facts = <BookingFacts booking={booking} more={peopleAndAnswers(settings, booking, words, parameters)} />
  const { confirmation } = words
  if (answer !== undefined)
    return (
      <main className="page">
        <Done
          isOutcome
          mark={answer === 'confirmed' ? 'yes' : 'no'}
          title={confirmation[answer]}
          text={fill(confirmation[settings.sends_emails ? (`${answer}Text` as const) : 'quietText'], { guest })}
        >
          {facts}
        </Done>
      </main>
    )
  if (booking.status !== 'pending')
    return (
      <main className="page">
        <Done
          mark={booking.status === 'booked' ? 'yes' : 'no'}
          title={words.titles.confirmation}
          text={booking.status === 'booked' ? confirmation.already : confirmation.alreadyCancelled}
        >
          {facts}
        </Done>
      </main>
    )
  const isPast = hasBegun(booking)
  const standing = isPast ? 'past' : stands
  const asked = isPast ? words.titles.confirmation : confirmation.title
  return (
    <main className="page">
      <section className="card decide">
        <h1 ref={heading} tabIndex={-1}>
          {isDeclining ? confirmation.declineTitle : asked}
        </h1>
        {facts}
        <p className={standing === 'free' ? 'stands' : 'alert'} role="status">
          {confirmation[standing]}
        </p>
        {isDeclining && <Reason label={confirmation.declineReason} value={reason} onChange={setReason} />}
        {failure !== undefined && <Refused text={failure} takesFocus={before !== undefined} />}
        <div className="actions">
          {isDeclining ? (
            <>
              <button
                key="no"
                type="button"
                className="danger"
                aria-disabled={isSending || undefined}
                onClick={() => void send({ status: 'cancelled', cancellation_reason: reason.trim() })}
              >
                {isSending ? words.form.sending : confirmation.decline}
              </button>
              <button key="back" type="button" onClick={() => setDeclining(false)}>
                {words.back}
              </button>
            </>
          ) : (
            <>
              {!isPast && (
                <button
                  key="yes"
                  type="button"
                  className="primary"
                  aria-disabled={isSending || undefined}
                  onClick={() => void send({ status: 'confirmed' })}
                >
                  {isSending ? words.form.sending : confirmation.confirm}
                </button>
              )}
              <button key="decline" ref={decline} type="button" onClick={() => setDeclining(true)}>
                {confirmation.decline}
              </button>
            </>
          )}
        </div>
      </section>
    </main>
  )
}
