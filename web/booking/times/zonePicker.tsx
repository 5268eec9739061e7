// Every time zone there is, searched by city, region and offset: a combobox with a list (WAI-ARIA APG, list autocomplete).
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from 'react'

import { cityOf, formatOffset, formatTime } from '../../shared/format.ts'
import { usePage } from '../page.tsx'

type ZonePickerProps = {
  readonly timezone: string
  /** Whose clock and offset are shown; Unix seconds. */
  readonly at: number
  /** Undefined: left as it was. */
  onChoose(timezone: string | undefined): void
  /** The guest has gone elsewhere, and the focus with them. */
  onLeave(): void
}

type Entry = {
  readonly id: string
  readonly city: string
  readonly region: string
  readonly offset: string
  readonly time: string
}

export function ZonePicker({ timezone, at, onChoose, onLeave }: ZonePickerProps) {
  const { words, locale } = usePage()
  const [text, setText] = useState('')
  const [active, setActive] = useState(0)
  const listId = useId()
  const input = useRef<HTMLInputElement>(null)
  const list = useRef<HTMLDivElement>(null)
  const entries = useMemo(() => listZones(timezone, at, locale), [timezone, at, locale])
  const found = useMemo(() => search(entries, text), [entries, text])
  useEffect(() => input.current?.focus(), [])
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is active is kept in view, whichever list it is of
  useEffect(() => {
    list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' })
  }, [active, found])

  const type = (event: KeyboardEvent) => {
    const moves: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }
    const move = moves[event.key]
    if (move !== undefined) {
      event.preventDefault()
      setActive(Math.max(0, Math.min(found.length - 1, active + move)))
    } else if (event.key === 'Enter') {
      event.preventDefault()
      const chosen = found[active]
      if (chosen !== undefined) onChoose(chosen.id)
    } else if (event.key === 'Escape') {
      event.preventDefault()
      onChoose(undefined)
    }
  }
  return (
    <div className="zonePicker">
      <input
        ref={input}
        type="text"
        role="combobox"
        aria-label={words.zone.label}
        aria-expanded="true"
        aria-autocomplete="list"
        aria-controls={listId}
        aria-activedescendant={found[active] === undefined ? undefined : `${listId}-${active}`}
        autoComplete="off"
        spellCheck={false}
        placeholder={words.zone.search}
        value={text}
        onKeyDown={type}
        // Options take no focus, so it leaves with the guest only; not where the whole window has lost it for a while.
        onBlur={({ target }) => {
          if (target !== document.activeElement) onLeave()
        }}
        onChange={(event) => {
          setText(event.target.value)
          setActive(0)
        }}
      />
      {found.length === 0 && (
        <p className="note" role="status">
          {words.zone.none}
        </p>
      )}
      {/* Browsers would let Tab stop at what scrolls. */}
      <div
        ref={list}
        id={listId}
        role="listbox"
        tabIndex={-1}
        aria-label={words.zone.label}
        hidden={found.length === 0}
      >
        {found.map((entry, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the input's
          // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the input, which names the active option
          <div
            key={entry.id}
            id={`${listId}-${index}`}
            role="option"
            aria-selected={index === active}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => onChoose(entry.id)}
          >
            <span>
              {entry.city} <small>{entry.region}</small>
            </span>
            <small>
              {entry.time} · {entry.offset}
            </small>
          </div>
        ))}
      </div>
    </div>
  )
}

/** The guest's own first. */
function listZones(own: string, at: number, locale: string): Entry[] {
  const ids = [...new Set([own, ...Intl.supportedValuesOf('timeZone'), 'UTC'])]
  return ids.map((id) => ({
    id,
    city: cityOf(id),
    region: id.split('/').slice(0, -1).join(' / ').replaceAll('_', ' '),
    offset: formatOffset(at, locale, id),
    time: formatTime(at, locale, id),
  }))
}

/** Cities that begin with what was typed come first, so that Enter takes Pago Pago and not the Galapagos. */
function search(entries: readonly Entry[], text: string): Entry[] {
  const begins = ({ city }: Entry) => plain(city).startsWith(plain(text))
  return entries
    .filter((entry) => matches(entry, text))
    .sort((left, right) => Number(begins(right)) - Number(begins(left)))
}

function matches({ id, city, region, offset }: Entry, text: string): boolean {
  const haystack = plain(`${id} ${city} ${region} ${offset} ${offset.replace('GMT', 'UTC')}`)
  return plain(text)
    .split(' ')
    .every((word) => haystack.includes(word))
}

/** Without case and accents, so that `sao` finds São Paulo. */
function plain(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().trim()
}
