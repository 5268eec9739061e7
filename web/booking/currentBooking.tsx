// A booking as its link shows it.
import type { LinkedBooking } from '../../src/wire/pages.ts'
import { formatList } from '../shared/format.ts'
import { Done, type Fact, Facts, When } from './done.tsx'
import { usePage } from './page.tsx'

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

/** Instead of a page that would change it: it was called off, or is over. Undefined where it still can be changed. */
export function endOf({ status, start_time }: LinkedBooking): 'ended' | 'past' | undefined {
  if (status === 'cancelled') return 'ended'
  return start_time <= Date.now() / 1_000 ? 'past' : undefined
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

/** In the same language, and inside the same site; nothing where the page has been taken down. */
export function BookAgain({ booking, configurationId }: BookAgainProps) {
  const { words, parameters } = usePage()
  if (!booking.can_book_again) return null
  const query = parameters.size === 0 ? '' : `?${parameters}`
  return (
    <a className="button" href={`/book/${configurationId}${query}`}>
      {words.messages.bookAgain}
    </a>
  )
}
