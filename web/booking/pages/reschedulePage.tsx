// Moving a booking: the time that it has, the time that is wanted, and one button.
import { useEffect } from 'react'

import type { LinkedBooking, SlotStarts } from '../../../src/wire/pages.ts'
import type { UiSettings } from '../../../src/wire/uiSettings.ts'
import { fill } from '../../shared/format.ts'
import { About } from '../about.tsx'
import { type BookingJson, type Move, moveBooking } from '../calls/booking.ts'
import { explain, isOutdated } from '../calls/refusals.ts'
import { failureOf, loadAgain, type Tried, useTaken } from '../calls/taken.ts'
import { isSlotLost, type Sent } from '../calls/tries.ts'
import { tellFrame, tellReady } from '../frame.ts'
import { EndedBooking, endOf } from '../outcome/currentBooking.tsx'
import { AddToCalendar, Done, Facts, When } from '../outcome/done.tsx'
import { usePage, useTyped } from '../page.tsx'
import { Refused } from '../refused.tsx'
import { ChangeTime } from '../times/changeTime.tsx'
import { LostSlot } from '../times/lostSlot.tsx'
import { SlotPicker } from '../times/slotPicker.tsx'
import { useTimezone, Zone } from '../times/timezone.tsx'
import { type Ending, useChoice } from '../times/useChoice.ts'
import { useSlots } from '../times/useSlots.ts'

type ReschedulePageProps = {
  readonly settings: UiSettings
  readonly booking: LinkedBooking
  readonly slots: SlotStarts | undefined
}

/** `isOutdated`: the page has to be loaded again before it can go on. */
type Failure = { readonly text: string; readonly isOutdated: boolean }

export function ReschedulePage(props: ReschedulePageProps) {
  const end = endOf(props.booking)
  return end === undefined ? (
    <Moving {...props} />
  ) : (
    <EndedBooking booking={props.booking} end={end} configurationId={props.settings.configuration_id} />
  )
}

function Moving({ settings, booking, slots: first }: ReschedulePageProps) {
  const { words } = usePage()
  const { start_time: before, end_time: beforeEnd } = booking
  const tried = useTaken<Tried & { readonly timezone?: string }>()
  const failure = failureOf(tried, booking, words)
  const zone = useTimezone(tried?.timezone)
  const { timezone } = zone
  const taken = { start: before, ...(zone.chosen === undefined ? {} : { timezone: zone.chosen }) }
  useTyped(zone.chosen === undefined ? undefined : taken)
  const slots = useSlots(
    {
      configurationId: settings.configuration_id,
      token: booking.token,
      bookingId: booking.booking_id,
      minutes: settings.duration_minutes,
    },
    first,
  )
  const others = { ...slots, starts: slots.starts.filter((one) => one !== before) }
  const choice = useChoice<Sent<Move, BookingJson>, Failure>()
  const { start, standing, isOpen } = choice
  useEffect(tellReady, [])

  const reload = (told?: string) => loadAgain({ ...taken, ...(told === undefined ? {} : { failure: told }) })
  const endOfMeeting = (from: number) => from + settings.duration_minutes * 60
  const move = async (wanted: number): Promise<Ending<Sent<Move, BookingJson>, Failure>> => {
    const sent = await moveBooking({ booking, start: wanted, minutes: settings.duration_minutes })
    if (sent.ok) {
      tellFrame('rescheduled', { booking: sent.value.value, start_time: sent.value.wish.start })
      return { is: 'done', done: sent.value }
    }
    const text = explain(sent.problem, words)
    if (isOutdated(sent.problem)) reload(text)
    if (!isSlotLost(sent.problem)) return { is: 'refused', failure: { text, isOutdated: false } }
    if ((await slots.refresh(wanted)) === 'current') return { is: 'lost' }
    return { is: 'refused', failure: { text: words.errors.outdated, isOutdated: true } }
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
            standing.is === 'lost' ? (
              <s className="past">
                <When start={wanted} end={endOfMeeting(wanted)} timezone={timezone} />
              </s>
            ) : (
              <When start={wanted} end={endOfMeeting(wanted)} timezone={timezone} />
            ),
        },
      ]}
    />
  )

  if (standing.is === 'done') {
    const { value: moved, wish } = standing.done
    const isPending = moved.status === 'pending'
    const said = settings.sends_emails
      ? { pending: words.done.pendingText, booked: words.done.bookedText }
      : { pending: words.done.pendingQuiet, booked: words.done.bookedQuiet }
    return (
      <main className="page">
        <Done
          isOutcome
          mark={isPending ? 'waiting' : 'yes'}
          title={isPending ? words.done.movedPending : words.done.moved}
          text={fill(isPending ? said.pending : said.booked, {
            organizer: moved.organizer.name || moved.organizer.email,
            email: booking.guest.email,
          })}
        >
          {both(wish.start)}
          {moved.status === 'booked' && booking.holder === 'guest' && (
            <AddToCalendar
              entry={{
                uid: moved.ical_uid,
                sequence: moved.version,
                title: moved.title,
                description: moved.description,
                location: moved.location,
                start: wish.start,
                end: endOfMeeting(wish.start),
              }}
            />
          )}
        </Done>
      </main>
    )
  }
  const refused = standing.is === 'refused' ? standing.failure : undefined
  const isChosen = isOpen && start !== undefined
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
          {!isChosen && failure !== undefined && <Refused text={failure} takesFocus />}
          {!isChosen && <Zone timezone={timezone} at={start ?? before} onChange={zone.choose} />}
        </About>
        {isChosen ? (
          <section className="formStep" aria-label={words.reschedule.submit}>
            <h2 ref={choice.heading} tabIndex={-1}>
              {words.facts.now}
            </h2>
            {standing.is === 'lost' && (
              <LostSlot
                slots={others}
                choice={choice}
                lost={start}
                timezone={timezone}
                noticeMinutes={settings.scheduler.min_booking_notice}
              />
            )}
            {refused !== undefined && (
              <Refused text={refused.text} onReload={refused.isOutdated ? () => reload() : undefined} />
            )}
            {both(start)}
            <div className="actions">
              {standing.is !== 'lost' && refused?.isOutdated !== true && (
                <button
                  type="button"
                  className="primary"
                  aria-disabled={standing.is === 'sending' || undefined}
                  onClick={() => void choice.send(() => move(start))}
                >
                  {standing.is === 'sending' ? words.form.sending : words.reschedule.submit}
                </button>
              )}
              <ChangeTime choice={choice} />
            </div>
          </section>
        ) : (
          <SlotPicker
            slots={others}
            timezone={timezone}
            days={settings.scheduler.available_days_in_future}
            chosen={start}
            onChoose={choice.choose}
            onReload={() => reload()}
          />
        )}
      </div>
    </main>
  )
}
