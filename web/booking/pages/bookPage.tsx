// Booking: a time, the questions, and what stands then.
import { useEffect, useState } from 'react'

import type { SlotStarts } from '../../../src/wire/pages.ts'
import type { UiSettings } from '../../../src/wire/uiSettings.ts'
import { unixNow } from '../../shared/clock.ts'
import { fill, formatList } from '../../shared/format.ts'
import { About } from '../about.tsx'
import { type BookingJson, redirectAddress, sendWish, type Wish } from '../calls/booking.ts'
import { loadAgain, useTaken } from '../calls/taken.ts'
import { isSlotLost, type Sent } from '../calls/tries.ts'
import { type Answers, fieldsOf, firstAnswers, keepAnswers } from '../form/answers.ts'
import { type Failure, findFailure } from '../form/complaints.ts'
import { GuestForm } from '../form/guestForm.tsx'
import { isFramed, tellFrame, tellReady } from '../frame.ts'
import { AddToCalendar, ChangeLinks, Done, Facts, linkTo, When } from '../outcome/done.tsx'
import { usePage, useTyped } from '../page.tsx'
import { ChangeTime } from '../times/changeTime.tsx'
import { LostSlot } from '../times/lostSlot.tsx'
import { SlotPicker } from '../times/slotPicker.tsx'
import { useTimezone, Zone } from '../times/timezone.tsx'
import { type Ending, useChoice } from '../times/useChoice.ts'
import { useSlots } from '../times/useSlots.ts'

type BookPageProps = {
  readonly settings: UiSettings
  readonly slots: SlotStarts | undefined
  /** Of a private configuration. */
  readonly session?: string
}

/** What was typed and chosen, of a page that was loaded again. */
type Taken = { readonly answers: Answers | undefined; readonly timezone: string | undefined }

export function BookPage({ settings, slots: first, session }: BookPageProps) {
  const { words, language, parameters } = usePage()
  const { scheduler, organizer } = settings
  const taken = useTaken<Taken>()
  const zone = useTimezone(taken?.timezone)
  const { timezone } = zone
  const [given] = useState(() => firstAnswers(scheduler.additional_fields, parameters))
  const [answers, setAnswers] = useState(() =>
    taken?.answers === undefined ? given : keepAnswers(scheduler.additional_fields, given, taken.answers),
  )
  const typed: Taken = { answers: answers === given ? undefined : answers, timezone: zone.chosen }
  useTyped(typed.answers === undefined && typed.timezone === undefined ? undefined : typed)
  const { configuration_id: configurationId, duration_minutes: minutes } = settings
  const slots = useSlots({ configurationId, token: session, minutes }, first)
  const choice = useChoice<Sent<Wish, BookingJson>, Failure>()
  const { start, standing, isOpen } = choice
  useEffect(tellReady, [])

  const book = async (wish: Wish): Promise<Ending<Sent<Wish, BookingJson>, Failure>> => {
    const sent = await sendWish(wish)
    if (!sent.ok) {
      if (!isSlotLost(sent.problem)) {
        const fields = fieldsOf(scheduler.additional_fields, parameters)
        return { is: 'refused', failure: findFailure(sent.problem, wish.answers, fields, words) }
      }
      if ((await slots.refresh(wish.start)) === 'current') return { is: 'lost' }
      return { is: 'refused', failure: { is: 'sentence', sentence: words.errors.outdated, isOutdated: true } }
    }
    const { value: booking, wish: sentWish } = sent.value
    tellFrame('booked', { booking, start_time: sentWish.start })
    if (scheduler.confirmation_redirect_url !== '') {
      const address = redirectAddress(scheduler.confirmation_redirect_url, booking, sentWish, parameters)
      // The site around goes there, whose pages seldom stand in a frame of its own; where it does not listen, the guest sees it here.
      if (isFramed) tellFrame('redirect', { address })
      else await leaveFor(address)
    }
    return { is: 'done', done: sent.value }
  }

  if (standing.is === 'done') return <Booked sent={standing.done} />
  const isForm = isOpen && start !== undefined
  const isLost = standing.is === 'lost'
  const failure = standing.is === 'refused' ? standing.failure : undefined
  const isOutdated = failure?.is === 'sentence' && failure.isOutdated
  const reload = () => loadAgain(typed)
  const submitLabel =
    settings.appearance?.submit_button_label ||
    (settings.booking_type === 'booking' ? words.form.submit : words.form.request)
  return (
    <main className="page">
      <div className="card book" data-step={isForm ? 'form' : 'time'}>
        <About settings={settings}>
          {isForm && (
            <p className="chosen" data-lost={isLost || undefined}>
              <When start={start} end={start + minutes * 60} timezone={timezone} />
              <ChangeTime choice={choice} />
            </p>
          )}
          {!isForm && taken?.answers !== undefined && (
            <p className="note" role="status">
              {words.times.kept}
            </p>
          )}
          {!isForm && <Zone timezone={timezone} at={start ?? slots.starts[0] ?? unixNow()} onChange={zone.choose} />}
        </About>
        {isForm ? (
          <section className="formStep" aria-label={words.form.title}>
            <h2 ref={choice.heading} tabIndex={-1}>
              {words.form.title}
            </h2>
            {isLost && (
              <LostSlot
                slots={slots}
                choice={choice}
                lost={start}
                timezone={timezone}
                noticeMinutes={scheduler.min_booking_notice}
                kept={words.times.kept}
              />
            )}
            {settings.booking_type !== 'booking' && (
              <p className="note">
                {settings.hosts.length === 0
                  ? words.form[settings.sends_emails ? 'pendingNoteInTurn' : 'pendingNoteInTurnQuiet']
                  : fill(words.form[settings.sends_emails ? 'pendingNote' : 'pendingNoteQuiet'], {
                      organizer: organizer.name || organizer.email,
                    })}
              </p>
            )}
            <GuestForm
              settings={settings}
              answers={answers}
              submitLabel={isLost || isOutdated ? undefined : submitLabel}
              isSending={standing.is === 'sending'}
              failure={failure}
              onChange={setAnswers}
              onSubmit={() =>
                void choice.send(() => book({ settings, start, answers, timezone, language, token: session }))
              }
              onReload={reload}
            />
          </section>
        ) : (
          <SlotPicker
            slots={slots}
            timezone={timezone}
            days={scheduler.available_days_in_future}
            chosen={start}
            onChoose={choice.choose}
            onReload={reload}
          />
        )}
      </div>
    </main>
  )
}

/** Ends only where the guest comes back to this page as the browser has kept it. */
function leaveFor(address: string): Promise<unknown> {
  location.assign(address)
  return new Promise((shown) => addEventListener('pageshow', shown, { once: true }))
}

/** All as it was sent. */
function Booked({ sent: { value: booking, wish } }: { readonly sent: Sent<Wish, BookingJson> }) {
  const { words, locale, parameters } = usePage()
  const { settings, start, timezone } = wish
  const email = wish.answers.email.trim()
  const guest = wish.answers.name.trim()
  const { scheduler, appearance, hosts, sends_emails } = settings
  const end = start + settings.duration_minutes * 60
  const isPending = booking.status === 'pending'
  const organizer = booking.organizer.name || booking.organizer.email
  // What a request waits for is said whatever the organizer says to those who have booked.
  const thanks = appearance?.thank_you_message
  const text = isPending ? (
    fill(words.done[sends_emails ? 'pendingText' : 'pendingQuiet'], { organizer, email })
  ) : thanks ? (
    <bdi>{thanks}</bdi>
  ) : (
    fill(words.done[sends_emails ? 'bookedText' : 'bookedQuiet'], { email })
  )
  return (
    <main className="page">
      <Done
        isOutcome
        mark={isPending ? 'waiting' : 'yes'}
        title={isPending ? words.done.pending : words.done.booked}
        text={text}
      >
        <Facts
          facts={[
            { label: words.facts.what, value: booking.title },
            { label: words.facts.when, value: <When start={start} end={end} timezone={timezone} /> },
            { label: words.facts.who, value: hosts.length > 1 ? formatList(hosts, locale) : organizer },
            { label: words.facts.guest, value: `${guest} (${email})` },
            { label: words.facts.where, value: booking.location },
          ]}
        />
        {!isPending && (
          <AddToCalendar
            entry={{
              uid: booking.ical_uid,
              sequence: booking.version,
              title: booking.title,
              description: booking.description,
              location: booking.location,
              start,
              end,
            }}
          />
        )}
        <ChangeLinks
          reschedule={
            scheduler.hide_rescheduling_options
              ? ''
              : linkTo(scheduler.rescheduling_url, 'reschedule', booking.booking_ref, parameters)
          }
          cancel={
            scheduler.hide_cancellation_options
              ? ''
              : linkTo(scheduler.cancellation_url, 'cancel', booking.booking_ref, parameters)
          }
        />
      </Done>
    </main>
  )
}
