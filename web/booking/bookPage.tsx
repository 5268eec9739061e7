// Booking: a time, the questions, and what stands then.
import { useEffect, useState } from 'react'

import type { SlotStarts } from '../../src/wire/pages.ts'
import type { UiSettings } from '../../src/wire/uiSettings.ts'
import { fill, formatList } from '../shared/format.ts'
import { About } from './about.tsx'
import { firstAnswers } from './answers.ts'
import { type BookingJson, explain, isSlotLost, redirectAddress, sendWish } from './booking.ts'
import { AddToCalendar, ChangeLinks, Done, Facts, linkTo, When } from './done.tsx'
import { isFramed, tellFrame } from './frame.ts'
import { GuestForm } from './guestForm.tsx'
import { LostSlot } from './lostSlot.tsx'
import { usePage } from './page.tsx'
import { SlotPicker } from './slotPicker.tsx'
import { useFormStep } from './useFormStep.ts'
import { useSlots } from './useSlots.ts'
import { guestTimezone, Zone } from './zone.tsx'

type BookPageProps = {
  readonly settings: UiSettings
  readonly slots: SlotStarts | undefined
  /** Of a private configuration. */
  readonly session?: string
}

export function BookPage({ settings, slots: first, session }: BookPageProps) {
  const { words, language, parameters } = usePage()
  const { scheduler, organizer } = settings
  const [timezone, setTimezone] = useState(() => guestTimezone(parameters))
  const [start, setStart] = useState<number>()
  const [answers, setAnswers] = useState(() => firstAnswers(scheduler.additional_fields, parameters))
  const [isSending, setSending] = useState(false)
  const [failure, setFailure] = useState<string>()
  const [lost, setLost] = useState<number>()
  const [booking, setBooking] = useState<BookingJson>()
  const slots = useSlots({ configurationId: settings.configuration_id, token: session }, first)
  const step = useFormStep()
  useEffect(() => tellFrame('ready'), [])

  const choose = (chosen: number) => {
    setStart(chosen)
    setLost(undefined)
    setFailure(undefined)
    step.open()
  }
  const submit = async () => {
    if (start === undefined) return
    const wish = { settings, start, answers, timezone, language, token: session }
    setSending(true)
    setFailure(undefined)
    const sent = await sendWish(wish)
    if (sent.ok) {
      tellFrame('booked', { booking: sent.value, start_time: start })
      if (scheduler.confirmation_redirect_url !== '') {
        const address = redirectAddress(scheduler.confirmation_redirect_url, sent.value, wish, parameters)
        if (!isFramed) {
          location.assign(address)
          return
        }
        // The site around goes there, whose pages seldom stand in a frame of its own; where it does not listen, the guest sees it here.
        tellFrame('redirect', { address })
      }
      setBooking(sent.value)
    } else if (isSlotLost(sent.problem)) {
      await slots.refresh()
      setLost(start)
    } else setFailure(explain(sent.problem, words))
    setSending(false)
  }

  if (booking !== undefined && start !== undefined)
    return (
      <Booked
        booking={booking}
        settings={settings}
        start={start}
        timezone={timezone}
        email={answers.email.trim()}
        guest={answers.name.trim()}
      />
    )
  const isForm = step.isOpen && start !== undefined
  return (
    <main className="page">
      <div className="card book" data-step={isForm ? 'form' : 'time'}>
        <About settings={settings}>
          {isForm && (
            <p className="chosen" data-lost={lost === start || undefined}>
              <When start={start} end={start + settings.duration_minutes * 60} timezone={timezone} />
              <button type="button" className="quiet" onClick={step.close}>
                {words.form.change}
              </button>
            </p>
          )}
          {!isForm && (
            <Zone timezone={timezone} at={start ?? slots.starts[0] ?? Date.now() / 1_000} onChange={setTimezone} />
          )}
        </About>
        {isForm ? (
          <section className="formStep" aria-label={words.form.title}>
            <h2 ref={step.heading} tabIndex={-1}>
              {words.form.title}
            </h2>
            {lost !== undefined && (
              <LostSlot
                starts={slots.starts}
                lost={lost}
                timezone={timezone}
                kept={words.times.kept}
                onChoose={choose}
                onAll={step.close}
              />
            )}
            {settings.booking_type !== 'booking' && (
              <p className="note">
                {settings.hosts.length === 0
                  ? words.form.pendingNoteInTurn
                  : fill(words.form.pendingNote, { organizer: organizer.name || organizer.email })}
              </p>
            )}
            <GuestForm
              settings={settings}
              answers={answers}
              submitLabel={
                settings.appearance?.submit_button_label ||
                (settings.booking_type === 'booking' ? words.form.submit : words.form.request)
              }
              isSending={isSending}
              failure={failure}
              onChange={setAnswers}
              onSubmit={() => void submit()}
            />
          </section>
        ) : (
          <SlotPicker
            slots={slots}
            timezone={timezone}
            days={scheduler.available_days_in_future}
            chosen={start}
            onChoose={choose}
          />
        )}
      </div>
    </main>
  )
}

type BookedProps = {
  readonly booking: BookingJson
  readonly settings: UiSettings
  readonly start: number
  readonly timezone: string
  readonly guest: string
  readonly email: string
}

function Booked({ booking, settings, start, timezone, guest, email }: BookedProps) {
  const { words, locale, parameters } = usePage()
  const { scheduler, appearance, hosts } = settings
  const end = start + settings.duration_minutes * 60
  const isPending = booking.status === 'pending'
  const organizer = booking.organizer.name || booking.organizer.email
  const said = isPending ? words.done.pendingText : words.done.bookedText
  return (
    <main className="page">
      <Done
        mark={isPending ? 'waiting' : 'yes'}
        title={isPending ? words.done.pending : words.done.booked}
        text={appearance?.thank_you_message || fill(said, { organizer, email })}
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
              uid: `${booking.booking_id}@openslot`,
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
