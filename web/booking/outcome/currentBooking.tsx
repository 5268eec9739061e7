// A booking as its link shows it.
import type { LinkedBooking } from '../../../src/wire/pages.ts'
import type { UiSettings } from '../../../src/wire/uiSettings.ts'
import { unixNow } from '../../shared/clock.ts'
import { formatList } from '../../shared/format.ts'
import { fieldsOf } from '../form/answers.ts'
import type { Words } from '../languages/en.ts'
import { usePage } from '../page.tsx'
import { Done, type Fact, Facts, When } from './done.tsx'

/** What, when, with whom and where; then whatever else the page has to tell. */
export function BookingFacts({
  booking,
  more = [],
}: {
  readonly booking: LinkedBooking
  readonly more?: readonly Fact[]
}) {
  const { words, locale } = usePage()
  const { title, start_time: start, end_time: end, timezone, hosts, location } = booking
  return (
    <Facts
      facts={[
        { label: words.facts.what, value: title },
        { label: words.facts.when, value: <When start={start} end={end} timezone={timezone} /> },
        { label: words.facts.who, value: formatList(hosts, locale) },
        { label: words.facts.where, value: location },
        ...more,
      ]}
    />
  )
}

/** What a host wants to know beside: who the guests are, and what they answered. */
export function peopleAndAnswers(
  { scheduler }: UiSettings,
  { guest, additional_guests, additional_fields }: LinkedBooking,
  { facts }: Words,
  parameters: URLSearchParams,
): Fact[] {
  return [
    { label: facts.guest, value: `${guest.name} (${guest.email})` },
    { label: facts.guests, value: additional_guests.map(({ email }) => email).join('\n') },
    ...fieldsOf(scheduler.additional_fields, parameters).map(({ key, label, type }) => {
      const answer = additional_fields[key] ?? ''
      const isTick = type === 'checkbox' && (answer === 'true' || answer === 'false')
      return { label: label || key, value: isTick ? facts[answer === 'true' ? 'yes' : 'no'] : answer }
    }),
  ]
}

export function hasBegun({ start_time }: LinkedBooking): boolean {
  return start_time <= unixNow()
}

/** Instead of a page that would change it: it was called off, or has begun. Undefined where it still can be changed. */
export function endOf(booking: LinkedBooking): 'ended' | 'past' | undefined {
  if (booking.status === 'cancelled') return 'ended'
  return hasBegun(booking) ? 'past' : undefined
}

export function EndedBooking({
  booking,
  end,
  configurationId,
}: {
  readonly booking: LinkedBooking
  readonly end: 'ended' | 'past'
  readonly configurationId: string
}) {
  const { words } = usePage()
  const said =
    end === 'ended'
      ? ({ mark: 'no', title: words.done.cancelled, text: words.messages.ended } as const)
      : ({ mark: 'waiting', title: words.messages.past } as const)
  return (
    <main className="page">
      <Done {...said}>
        <BookingFacts booking={booking} />
        <BookAgain booking={booking} configurationId={configurationId} />
      </Done>
    </main>
  )
}

type BookAgainProps = { readonly booking: LinkedBooking; readonly configurationId: string }

/** In the same language, and inside the same site; nothing where the page has been taken down, or for a host. */
export function BookAgain({ booking, configurationId }: BookAgainProps) {
  const { words, parameters } = usePage()
  if (!booking.can_book_again || booking.holder === 'organizer') return null
  const query = parameters.size === 0 ? '' : `?${parameters}`
  return (
    <a className="button" href={`/book/${configurationId}${query}`}>
      {words.messages.bookAgain}
    </a>
  )
}
