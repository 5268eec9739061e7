// What stands after something was done: what it is now, and what can be done next.
import { type ReactNode, useEffect, useRef } from 'react'

import { unixNow } from '../../shared/clock.ts'
import { describeZone, formatDay, formatTimes } from '../../shared/format.ts'
import { usePage } from '../page.tsx'
import { type CalendarEntry, googleLink, outlookLink, writeIcs } from './calendarLinks.ts'

type MarkName = keyof typeof marks

type DoneProps = {
  /** Of what was done just now: the page would not show it again. */
  readonly isOutcome?: boolean
  readonly mark: MarkName
  readonly title: string
  readonly text?: ReactNode
  readonly children?: ReactNode
}

/** The heading takes the focus, so that whoever cannot see the change hears it. */
export function Done({ isOutcome = false, mark, title, text, children }: DoneProps) {
  const { setDone } = usePage()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus(), [])
  useEffect(() => {
    setDone(isOutcome)
    return () => setDone(false)
  }, [setDone, isOutcome])
  return (
    <section className="card done">
      <Mark mark={mark} />
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {text !== undefined && <p>{text}</p>}
      {children}
    </section>
  )
}

const marks = {
  yes: 'M8 14.5 12 18.5 20 9.5',
  waiting: 'M14 8v6.5l4 2.5',
  no: 'M9.5 9.5l9 9M18.5 9.5l-9 9',
  locked: 'M9 13h10v7H9zM11 13v-2.5a3 3 0 0 1 6 0V13',
  unknown: 'M10.7 11a3.3 3.3 0 1 1 4.8 2.9c-1 .5-1.5 1.2-1.5 2.3M14 19.6v.1',
}

/** What has become of it, at a glance; the words beside it say the same. */
export function Mark({ mark }: { readonly mark: MarkName }) {
  return (
    <svg className="mark" data-mark={mark} viewBox="0 0 28 28" width="56" height="56" aria-hidden="true">
      <circle cx="14" cy="14" r="13" />
      <path d={marks[mark]} fill="none" strokeWidth="2" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  )
}

export type Fact = { readonly label: string; readonly value: ReactNode }

/** Facts without a value are left out. */
export function Facts({ facts }: { readonly facts: readonly Fact[] }) {
  return (
    <dl className="facts">
      {facts
        .filter(({ value }) => value !== '' && value !== undefined)
        .map(({ label, value }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  )
}

type WhenProps = { readonly start: number; readonly end: number; readonly timezone: string }

/** Day, times and zone of a booking. */
export function When({ start, end, timezone }: WhenProps) {
  const { locale } = usePage()
  const [zone, place] = describeZone(start, locale, timezone)
  return (
    <span className="when">
      <span className="whenDay">{formatDay(start, locale, timezone)}</span>{' '}
      <span className="whenTimes">{formatTimes(start, end, locale, timezone)}</span>{' '}
      <small>
        <span>{zone}</span> <span>{place}</span>
      </small>
    </span>
  )
}

export function AddToCalendar({ entry }: { readonly entry: CalendarEntry }) {
  const { words } = usePage()
  const download = () => {
    const text = writeIcs(entry, Math.floor(unixNow()))
    const address = URL.createObjectURL(new Blob([text], { type: 'text/calendar;charset=utf-8' }))
    const link = Object.assign(document.createElement('a'), { href: address, download: 'booking.ics' })
    link.click()
    URL.revokeObjectURL(address)
  }
  return (
    <section className="addToCalendar" aria-label={words.done.addToCalendar}>
      <h2>{words.done.addToCalendar}</h2>
      <ul>
        <li>
          <button type="button" onClick={download}>
            {words.done.icsFile}
          </button>
        </li>
        <li>
          <a className="button" href={googleLink(entry)} target="_blank" rel="noreferrer">
            Google
          </a>
        </li>
        <li>
          <a className="button" href={outlookLink(entry)} target="_blank" rel="noreferrer">
            Outlook
          </a>
        </li>
      </ul>
    </section>
  )
}

/** Both ways on from a booking, in words; those that the organizer hides are absent. */
export function ChangeLinks({ reschedule, cancel }: { readonly reschedule: string; readonly cancel: string }) {
  const { words } = usePage()
  if (reschedule === '' && cancel === '') return null
  return (
    <p className="changeLinks">
      {words.done.needChange}{' '}
      <span>
        {reschedule !== '' && <a href={reschedule}>{words.done.reschedule}</a>}
        {reschedule !== '' && cancel !== '' && ' · '}
        {cancel !== '' && <a href={cancel}>{words.done.cancel}</a>}
      </span>
    </p>
  )
}

/** The organizer's own page where there is one, else ours. */
export function linkTo(
  template: string,
  own: 'reschedule' | 'cancel',
  reference: string,
  parameters: URLSearchParams,
): string {
  if (template !== '') return template.replaceAll(':booking_ref', encodeURIComponent(reference))
  const query = parameters.size === 0 ? '' : `?${parameters}`
  return `/${own}/${encodeURIComponent(reference)}${query}`
}
