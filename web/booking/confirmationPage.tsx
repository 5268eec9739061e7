// The organizer's yes or no to a request: who, when, what, and whether the time is still free.
import { useEffect, useState } from 'react'

import type { LinkedBooking, Stands } from '../../src/wire/pages.ts'
import type { UiSettings } from '../../src/wire/uiSettings.ts'
import { fill } from '../shared/format.ts'
import { fieldsOf } from './answers.ts'
import { answerRequest, explain } from './booking.ts'
import { BookingFacts } from './currentBooking.tsx'
import { Done, type Fact } from './done.tsx'
import { tellFrame } from './frame.ts'
import { usePage } from './page.tsx'
import { Reason } from './reason.tsx'

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
  const booking = { ...shown, timezone: Intl.DateTimeFormat().resolvedOptions().timeZone }
  const [isDeclining, setDeclining] = useState(false)
  const [reason, setReason] = useState('')
  const [isSending, setSending] = useState(false)
  const [failure, setFailure] = useState<string>()
  const [answer, setAnswer] = useState<Answer>()
  useEffect(() => tellFrame('ready'), [])

  const guest = booking.guest.name || booking.guest.email
  const send = async (wanted: Answer) => {
    if (isSending) return
    setSending(true)
    setFailure(undefined)
    const sent = await answerRequest(
      booking,
      salt,
      wanted === 'confirmed' ? { status: 'confirmed' } : { status: 'cancelled', cancellation_reason: reason.trim() },
    )
    if (sent.ok) {
      tellFrame(wanted === 'confirmed' ? 'booked' : 'cancelled', { booking_id: booking.booking_id })
      setAnswer(wanted)
    } else setFailure(explain(sent.problem, words))
    setSending(false)
  }
  const facts = <BookingFacts booking={booking} more={peopleAndAnswers(settings, booking, words, parameters)} />
  const { confirmation } = words
  if (answer !== undefined)
    return (
      <main className="page">
        <Done
          mark={answer === 'confirmed' ? 'yes' : 'no'}
          title={confirmation[answer]}
          text={fill(confirmation[`${answer}Text`], { guest })}
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
  const isPast = booking.start_time <= Date.now() / 1_000
  const standing = isPast ? 'past' : stands
  const asked = isPast ? words.titles.confirmation : confirmation.title
  return (
    <main className="page">
      <section className="card decide">
        <h1>{isDeclining ? confirmation.declineTitle : asked}</h1>
        {facts}
        <p className={standing === 'free' ? 'stands' : 'alert'} role="status">
          {confirmation[standing]}
        </p>
        {isDeclining && <Reason label={confirmation.declineReason} value={reason} onChange={setReason} />}
        {failure !== undefined && (
          <p className="alert" role="alert">
            {failure}
          </p>
        )}
        <div className="actions">
          {isDeclining ? (
            <>
              <button
                type="button"
                className="danger"
                aria-disabled={isSending || undefined}
                onClick={() => void send('declined')}
              >
                {isSending ? words.form.sending : confirmation.decline}
              </button>
              <button type="button" onClick={() => setDeclining(false)}>
                {words.back}
              </button>
            </>
          ) : (
            <>
              {!isPast && (
                <button
                  type="button"
                  className="primary"
                  aria-disabled={isSending || undefined}
                  onClick={() => void send('confirmed')}
                >
                  {isSending ? words.form.sending : confirmation.confirm}
                </button>
              )}
              <button type="button" onClick={() => setDeclining(true)}>
                {confirmation.decline}
              </button>
            </>
          )}
        </div>
      </section>
    </main>
  )
}

function peopleAndAnswers(
  { scheduler }: UiSettings,
  { guest, additional_guests, additional_fields }: LinkedBooking,
  { facts }: { readonly facts: { readonly guest: string; readonly guests: string } },
  parameters: URLSearchParams,
): Fact[] {
  return [
    { label: facts.guest, value: `${guest.name} (${guest.email})` },
    { label: facts.guests, value: additional_guests.map(({ email }) => email).join('\n') },
    ...fieldsOf(scheduler.additional_fields, parameters).map(({ key, label }) => ({
      label: label || key,
      value: additional_fields[key] ?? '',
    })),
  ]
}
