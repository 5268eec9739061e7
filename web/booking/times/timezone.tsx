// The time zone that times are shown in, and the way to another.
import { useRef, useState } from 'react'

import { describeZone } from '../../shared/format.ts'
import { isTimezone, ownTimezone } from '../../shared/timezone.ts'
import { Icon } from '../icon.tsx'
import { usePage } from '../page.tsx'
import { ZonePicker } from './zonePicker.tsx'

type ZoneProps = {
  readonly timezone: string
  /** Whose offset is shown; Unix seconds. */
  readonly at: number
  onChange(timezone: string): void
}

/** The zone that times are shown in: what the guest has `chosen`, else what the page's link names, else the browser's own. */
export function useTimezone(taken: string | undefined) {
  const { parameters } = usePage()
  const [own] = useState(() => {
    const named = parameters.get('timezone')
    return named !== null && isTimezone(named) ? named : ownTimezone()
  })
  const [chosen, choose] = useState(taken)
  return { timezone: chosen ?? own, chosen, choose }
}

export function Zone({ timezone, at, onChange }: ZoneProps) {
  const { words, locale } = usePage()
  const [isOpen, setOpen] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  const [name, place] = describeZone(at, locale, timezone)
  if (isOpen)
    return (
      <ZonePicker
        timezone={timezone}
        at={at}
        onChoose={(chosen) => {
          setOpen(false)
          if (chosen !== undefined) onChange(chosen)
          requestAnimationFrame(() => button.current?.focus())
        }}
        onLeave={() => setOpen(false)}
      />
    )
  return (
    <button ref={button} type="button" className="zone" onClick={() => setOpen(true)}>
      <Globe />
      <span>
        <span>{name}</span>
        <small>{place}</small>
      </span>
      <span className="unseen">{words.zone.change}</span>
    </button>
  )
}

function Globe() {
  return (
    <Icon>
      <circle cx="10" cy="10" r="7.5" />
      <path d="M2.5 10h15M10 2.5c5 5 5 10 0 15c-5-5-5-10 0-15" />
    </Icon>
  )
}
