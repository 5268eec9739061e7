// Who and what is booked: beside the choice of a time, and above the form.
import { type ReactNode, useState } from 'react'

import type { UiSettings } from '../../src/wire/uiSettings.ts'
import { fill, formatList } from '../shared/format.ts'
import { Icon } from './icon.tsx'
import { usePage } from './page.tsx'

export function About({ settings, children }: { readonly settings: UiSettings; readonly children?: ReactNode }) {
  const { words, locale } = usePage()
  const { hosts, name, duration_minutes: minutes, location, description } = settings
  const people = formatList(hosts, locale)
  const logo = settings.appearance?.company_logo_url
  const [isBroken, setBroken] = useState(false)
  const company = settings.appearance?.company_name
  return (
    <header className="about">
      {logo && !isBroken && (
        <img
          className="logo"
          src={`/logo/${settings.configuration_id}`}
          alt={company ?? ''}
          onError={() => setBroken(true)}
        />
      )}
      {people !== '' && people !== name && <p className="host">{people}</p>}
      <h1>{name}</h1>
      <p className="length">
        <Clock />{' '}
        {minutes % 60 === 0
          ? fill(words.hours, { count: (minutes / 60).toLocaleString(locale) })
          : fill(words.minutes, { count: minutes.toLocaleString(locale) })}
      </p>
      {location !== '' && (
        <p className="place">
          <Pin /> <span>{location}</span>
        </p>
      )}
      <Description text={description.trim()} />
      {children}
    </header>
  )
}

const longDescription = 160

/** A long one opens where it stands: free times come first. */
function Description({ text }: { readonly text: string }) {
  if (text === '') return null
  if (text.length <= longDescription && text.split('\n').length < 5) return <p className="description">{text}</p>
  return (
    <details className="description">
      <summary>
        <span>{text}</span>
      </summary>
    </details>
  )
}

function Pin() {
  return (
    <Icon>
      <path d="M10 17.5s5.5-4.6 5.5-9a5.5 5.5 0 0 0-11 0c0 4.4 5.5 9 5.5 9Z" strokeLinejoin="round" />
      <circle cx="10" cy="8.5" r="2" />
    </Icon>
  )
}

function Clock() {
  return (
    <Icon>
      <circle cx="10" cy="10" r="7.5" />
      <path d="M10 5.5V10l3 2" strokeLinecap="round" />
    </Icon>
  )
}
