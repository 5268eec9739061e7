// Moving a booking: the time that it has, the time that is wanted, and one button.
import { useEffect, useState } from 'react'

import type { LinkedBooking, SlotStarts } from '../../src/wire/pages.ts'
import type { UiSettings } from '../../src/wire/uiSettings.ts'
import { fill } from '../shared/format.ts'
import { About } from './about.tsx'
import { type BookingJson, explain, isSlotLost, moveBooking } from './booking.ts'
import { EndedBooking, endOf } from './currentBooking.tsx'
import { AddToCalendar, Done, Facts, When } from './done.tsx'
import { tellFrame } from './frame.ts'
import { LostSlot } from './lostSlot.tsx'
import { usePage } from './page.tsx'
import { SlotPicker } from './slotPicker.tsx'
import { useFormStep } from './useFormStep.ts'
import { useSlots } from './useSlots.ts'
import { guestTimezone, Zone } from './zone.tsx'

type ReschedulePageProps = {
  readonly settings: UiSettings
  readonly booking: LinkedBooking
  readonly slots: SlotStarts | undefined
}

export function ReschedulePage(props: ReschedulePageProps) {
  const end = endOf(props.booking)
  return end === undefined ? (
    <Move {...props} />
  ) : (
    <EndedBooking booking={props.booking} end={end} configurationId={props.settings.configuration_id} />
  )
}

function Move({ settings, booking, slots: first }: ReschedulePageProps) {
  const { words, parameters } = usePage()
  const { start_time: before, end_time: beforeEnd } = booking
  const [timezone, setTimezone] = useState(() => guestTimezone(parameters))
  const [start, setStart] = useState<number>()
  const [isSending, setSending] = useState(false)
  const [failure, setFailure] = useState<string>()
  const [lost, setLost] = useState<number>()
  const [moved, setMoved] = useState<BookingJson>()
  const slots = useSlots(
    { configurationId: settings.configuration_id, token: booking.token, bookingId: booking.booking_id },
    first,
  )
  const others = { ...slots, starts: slots.starts.filter((one) => one !== before) }
  const step = useFormStep()
  useEffect(() => tellFrame('ready'), [])

  const end = (start ?? 0) + settings.duration_minutes * 60
  const choose = (chosen: number) => {
    setStart(chosen)
    setLost(undefined)
    setFailure(undefined)
    step.open()
  }
  const submit = async (wanted: number) => {
    if (isSending) return
    setSending(true)
    setFailure(undefined)
    const sent = await moveBooking(booking, wanted, settings.duration_minutes)
    if (sent.ok) {
      tellFrame('rescheduled', { booking: sent.value, start_time: wanted })
      setMoved(sent.value)
    } else if (isSlotLost(sent.problem)) {
      await slots.refresh()
      setLost(wanted)
    } else setFailure(explain(sent.problem, words))
    setSending(false)
  }
  const both = (wanted: number) => (
    <Facts
      facts={[
        {
          label: words.facts.before,
          value: (
            <s className="past">
              <When start={before} end={beforeEnd} timezone={timezone} />
            </s>
          ),
        },
        {
          label: words.facts.now,
          value:
            wanted === lost ? (
              <s className="past">
                <When start={wanted} end={end} timezone={timezone} />
              </s>
            ) : (
              <When start={wanted} end={end} timezone={timezone} />
            ),
        },
      ]}
    />
  )

  if (moved !== undefined && start !== undefined)
    return (
      <main className="page">
        <Done
          mark={moved.status === 'pending' ? 'waiting' : 'yes'}
          title={words.done.moved}
          text={fill(words.done.bookedText, { email: booking.guest.email })}
        >
          {both(start)}
          {moved.status === 'booked' && (
            <AddToCalendar
              entry={{
                uid: `${moved.booking_id}@openslot`,
                title: moved.title,
                description: moved.description,
                location: moved.location,
                start,
                end,
              }}
            />
          )}
        </Done>
      </main>
    )
  const isChosen = step.isOpen && start !== undefined
  return (
    <main className="page">
      <div className="card book" data-step={isChosen ? 'form' : 'time'}>
        <About settings={settings}>
          <div className="chosen">
            <h2>{words.reschedule.current}</h2>
            <p>
              <When start={before} end={beforeEnd} timezone={timezone} />
            </p>
          </div>
          {!isChosen && <Zone timezone={timezone} at={start ?? before} onChange={setTimezone} />}
        </About>
        {isChosen ? (
          <section className="formStep" aria-label={words.reschedule.submit}>
            <h2 ref={step.heading} tabIndex={-1}>
              {words.facts.now}
            </h2>
            {lost !== undefined && (
              <LostSlot starts={others.starts} lost={lost} timezone={timezone} onChoose={choose} onAll={step.close} />
            )}
            {failure !== undefined && (
              <p className="alert" role="alert">
                {failure}
              </p>
            )}
            {both(start)}
            <div className="actions">
              {start !== lost && (
                <button
                  type="button"
                  className="primary"
                  aria-disabled={isSending || undefined}
                  onClick={() => void submit(start)}
                >
                  {isSending ? words.form.sending : words.reschedule.submit}
                </button>
              )}
              <button type="button" className="quiet" onClick={step.close}>
                {words.form.change}
              </button>
            </div>
          </section>
        ) : (
          <SlotPicker
            slots={others}
            timezone={timezone}
            days={settings.scheduler.available_days_in_future}
            chosen={start}
            onChoose={choose}
          />
        )}
      </div>
    </main>
  )
}
