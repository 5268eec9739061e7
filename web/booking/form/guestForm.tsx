// The questions to a guest: name, address, those they bring, and whatever the organizer asks.
import { type SubmitEvent, useEffect, useRef, useState } from 'react'

import type { UiSettings } from '../../../src/wire/uiSettings.ts'
import { fill } from '../../shared/format.ts'
import { usePage } from '../page.tsx'
import { Refused } from '../refused.tsx'
import { type Answers, fieldsOf, isPersonReadonly } from './answers.ts'
import { longest } from './checks.ts'
import { type Complaints, type Failure, findComplaints, withoutGuest } from './complaints.ts'
import { AdditionalField, controlProps, Labelled } from './field.tsx'

type GuestFormProps = {
  readonly settings: UiSettings
  readonly answers: Answers
  /** Undefined while there is nothing to send. */
  readonly submitLabel: string | undefined
  readonly isSending: boolean
  /** What the server said to the last try. */
  readonly failure: Failure | undefined
  onChange(answers: Answers): void
  onSubmit(): void
  /** Where the page is too old to be sent. */
  onReload(): void
}

/** As many as the API takes. */
const guestLimit = 10

export function GuestForm(props: GuestFormProps) {
  const { settings, answers, submitLabel, isSending, failure, onChange, onSubmit, onReload } = props
  const { words, parameters } = usePage()
  const form = useRef<HTMLFormElement>(null)
  const [complaints, setComplaints] = useState<Complaints>({})
  const [tries, setTries] = useState(0)
  const { scheduler } = settings
  const fields = fieldsOf(scheduler.additional_fields, parameters)

  // biome-ignore lint/correctness/useExhaustiveDependencies: each refused try leads to the first field again
  useEffect(() => {
    form.current?.querySelector<HTMLElement>('[aria-invalid=true], fieldset[data-wrong]')?.focus()
  }, [tries])
  useEffect(() => {
    if (failure?.is !== 'places') return
    setComplaints(failure.complaints)
    setTries((before) => before + 1)
  }, [failure])

  const change = (place: string, next: Answers) => {
    // What is being mended is no longer complained of.
    if (place in complaints)
      setComplaints(Object.fromEntries(Object.entries(complaints).filter(([at]) => at !== place)))
    onChange(next)
  }
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (isSending || submitLabel === undefined) return
    const found = findComplaints(answers, fields, words)
    setComplaints(found)
    if (Object.keys(found).length === 0) onSubmit()
    else setTries(tries + 1)
  }
  return (
    <form ref={form} noValidate onSubmit={submit} className="guestForm">
      {Object.keys(complaints).length > 0 && (
        <p className="alert" role="alert">
          {words.errors.summary}
        </p>
      )}
      {failure?.is === 'sentence' && (
        <Refused text={failure.sentence} onReload={failure.isOutdated ? onReload : undefined} />
      )}
      {(['name', 'email'] as const).map((place) => (
        <Labelled key={place} id={place} label={words.form[place]} isOptional={false} complaint={complaints[place]}>
          <input
            {...controlProps(place, true, complaints[place])}
            type={place === 'email' ? 'email' : 'text'}
            autoComplete={place}
            maxLength={longest[place]}
            value={answers[place]}
            readOnly={isPersonReadonly(place, parameters)}
            onChange={(event) => change(place, { ...answers, [place]: event.target.value })}
          />
        </Labelled>
      ))}
      <div className="unseen" aria-hidden="true">
        <label htmlFor="website">Website</label>
        <input
          id="website"
          name="website"
          tabIndex={-1}
          autoComplete="off"
          value={answers.website}
          onChange={(event) => onChange({ ...answers, website: event.target.value })}
        />
      </div>
      {fields.map((field) => (
        <AdditionalField
          key={field.key}
          field={field}
          value={answers.fields[field.key] ?? ''}
          complaint={complaints[`fields.${field.key}`]}
          onChange={(value) =>
            change(`fields.${field.key}`, { ...answers, fields: { ...answers.fields, [field.key]: value } })
          }
        />
      ))}
      {!scheduler.hide_additional_guests && (
        <AdditionalGuests
          guests={answers.guests}
          complaints={complaints}
          onChange={(place, guests) => change(place, { ...answers, guests })}
          onRemove={(index) => {
            setComplaints(withoutGuest(complaints, index))
            onChange({ ...answers, guests: answers.guests.toSpliced(index, 1) })
          }}
        />
      )}
      {scheduler.cancellation_policy !== '' && (
        <section className="policy" aria-label={words.form.policy}>
          <h3>{words.form.policy}</h3>
          <p>{scheduler.cancellation_policy}</p>
        </section>
      )}
      {submitLabel !== undefined && (
        <button type="submit" className="primary" aria-disabled={isSending || undefined}>
          {isSending ? words.form.sending : <bdi>{submitLabel}</bdi>}
        </button>
      )}
    </form>
  )
}

type AdditionalGuestsProps = {
  readonly guests: readonly string[]
  readonly complaints: Complaints
  onChange(place: string, guests: readonly string[]): void
  onRemove(index: number): void
}

function AdditionalGuests({ guests, complaints, onChange, onRemove }: AdditionalGuestsProps) {
  const { words } = usePage()
  const list = useRef<HTMLFieldSetElement>(null)
  const [added, setAdded] = useState(0)
  const [removed, setRemoved] = useState(0)
  // Whoever adds a guest wants to type the address.
  useEffect(() => {
    if (added > 0) [...(list.current?.querySelectorAll('input') ?? [])].at(-1)?.focus()
  }, [added])
  // Its row has gone with the focus. Where there were as many as may be, only now can another be added.
  useEffect(() => {
    if (removed > 0) list.current?.querySelector<HTMLElement>('.add')?.focus()
  }, [removed])
  return (
    <fieldset ref={list} className="field guests">
      <legend>
        {words.form.guests} <span className="optional">({words.form.optional})</span>
      </legend>
      {guests.map((guest, index) => {
        const place = `guests.${index}`
        const complaint = complaints[place]
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: guests are rows of a form and have no other name
          <div key={index} data-wrong={complaint !== undefined || undefined}>
            <div className="guestRow">
              <input
                {...controlProps(place, false, complaint)}
                type="email"
                autoComplete="off"
                maxLength={longest.email}
                aria-label={fill(words.form.guestEmail, { number: index + 1 })}
                value={guest}
                onChange={(event) => onChange(place, guests.with(index, event.target.value))}
              />
              <button
                type="button"
                className="quiet"
                aria-label={fill(words.form.removeGuest, { number: index + 1 })}
                onClick={() => {
                  onRemove(index)
                  setRemoved(removed + 1)
                }}
              >
                ✕
              </button>
            </div>
            {complaint !== undefined && (
              <p className="complaint" id={`${place}-complaint`}>
                {complaint}
              </p>
            )}
          </div>
        )
      })}
      {guests.length < guestLimit && (
        <button
          type="button"
          className="quiet add"
          onClick={() => {
            onChange('guests', [...guests, ''])
            setAdded(added + 1)
          }}
        >
          + {words.form.addGuest}
        </button>
      )}
    </fieldset>
  )
}
