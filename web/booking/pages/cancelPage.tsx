// Calling a booking off: what it is, why if one likes to say, and one button.
import { useEffect, useState } from 'react'

import type { LinkedBooking } from '../../../src/wire/pages.ts'
import type { UiSettings } from '../../../src/wire/uiSettings.ts'
import { unixNow } from '../../shared/clock.ts'
import { fill, formatDays } from '../../shared/format.ts'
import { ownTimezone } from '../../shared/timezone.ts'
import { cancelBooking } from '../calls/booking.ts'
import { explain, isOutdated } from '../calls/refusals.ts'
import { failureOf, loadAgain, type Tried, useTaken } from '../calls/taken.ts'
import { Reason } from '../form/reason.tsx'
import { tellFrame, tellReady } from '../frame.ts'
import { BookAgain, BookingFacts, EndedBooking, endOf, peopleAndAnswers } from '../outcome/currentBooking.tsx'
import { Done } from '../outcome/done.tsx'
import { usePage, useTyped } from '../page.tsx'
import { Refused } from '../refused.tsx'

type CancelPageProps = { readonly settings: UiSettings; readonly booking: LinkedBooking }

export function CancelPage({ settings, booking: shown }: CancelPageProps) {
  const { words, locale, parameters } = usePage()
  // A host reads it in the zone that they are in, and wants to know whose it is; notice and policy are for guests.
  const isHost = shown.holder === 'organizer'
  const booking = isHost ? { ...shown, timezone: ownTimezone() } : shown
  const facts = (
    <BookingFacts booking={booking} more={isHost ? peopleAndAnswers(settings, booking, words, parameters) : []} />
  )
  const before = useTaken<Tried & { readonly reason: string }>()
  const [reason, setReason] = useState(before?.reason ?? '')
  const [isSending, setSending] = useState(false)
  const [failure, setFailure] = useState(failureOf(before, booking, words))
  const [isDone, setDone] = useState(false)
  useEffect(tellReady, [])
  useTyped(reason === '' ? undefined : { start: booking.start_time, reason })

  const { scheduler, configuration_id } = settings
  const { organizer } = booking
  const submit = async () => {
    if (isSending) return
    setSending(true)
    setFailure(undefined)
    const sent = await cancelBooking({ booking, reason: reason.trim() })
    if (sent.ok) {
      tellFrame('cancelled', { booking_id: booking.booking_id })
      setDone(true)
    } else {
      const told = explain(sent.problem, words)
      if (isOutdated(sent.problem)) loadAgain({ start: booking.start_time, reason, failure: told })
      else setFailure(told)
    }
    setSending(false)
  }
  // Of a request that the application answers by itself, it alone hears.
  const tells =
    settings.sends_emails && !(booking.status === 'pending' && settings.booking_type === 'custom-confirmation')
  if (isDone)
    return (
      <main className="page">
        <Done
          isOutcome
          mark="no"
          title={words.done.cancelled}
          text={words.done[tells ? 'cancelledText' : 'cancelledQuiet']}
        >
          {facts}
          <BookAgain booking={booking} configurationId={configuration_id} />
        </Done>
      </main>
    )
  const end = endOf(booking)
  if (end !== undefined) return <EndedBooking booking={booking} end={end} configurationId={configuration_id} />
  const notice = scheduler.min_cancellation_notice
  const isTooLate = !isHost && booking.status === 'booked' && notice > 0 && booking.start_time - unixNow() < notice * 60
  return (
    <main className="page">
      <section className="card decide">
        <h1>{words.cancel.title}</h1>
        {facts}
        {!isHost && scheduler.cancellation_policy !== '' && (
          <section className="policy" aria-label={words.form.policy}>
            <h2>{words.form.policy}</h2>
            <p>{scheduler.cancellation_policy}</p>
          </section>
        )}
        {isTooLate ? (
          <p className="alert" role="status">
            {fill(words.cancel.tooLate, {
              notice: writeNotice(notice, { words, locale }),
              organizer: organizer.name || organizer.email,
            })}
          </p>
        ) : (
          <>
            <Reason
              label={isHost ? words.confirmation.declineReason : words.cancel.reason}
              value={reason}
              onChange={setReason}
            />
            {failure !== undefined && <Refused text={failure} takesFocus={before !== undefined} />}
            <div className="actions">
              <button
                type="button"
                className="danger"
                aria-disabled={isSending || undefined}
                onClick={() => void submit()}
              >
                {isSending ? words.form.sending : words.cancel.submit}
              </button>
            </div>
          </>
        )}
      </section>
    </main>
  )
}

const dayMinutes = 24 * 60

/** Short units: in a sentence, long ones would have to agree with it in some languages. */
function writeNotice(
  minutes: number,
  { words, locale }: { words: { readonly minutes: string; readonly hours: string }; locale: string },
): string {
  if (minutes >= 2 * dayMinutes && minutes % dayMinutes === 0) return formatDays(minutes / dayMinutes, locale)
  return minutes % 60 === 0
    ? fill(words.hours, { count: (minutes / 60).toLocaleString(locale) })
    : fill(words.minutes, { count: minutes.toLocaleString(locale) })
}
