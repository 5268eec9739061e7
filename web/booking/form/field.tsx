// One question of the form, with its label, its control and what is wrong with the answer.
import type { ReactNode } from 'react'

import { readChoices } from '../../../src/wire/choices.ts'
import { usePage } from '../page.tsx'
import type { Field } from './answers.ts'
import { longest } from './checks.ts'

type FrameProps = {
  readonly id: string
  readonly label: string
  readonly isOptional: boolean
  readonly complaint: string | undefined
  readonly children: ReactNode
}

/** A label over a single control, whose id is `id`. */
export function Labelled({ id, label, isOptional, complaint, children }: FrameProps) {
  return (
    <div className="field" data-wrong={complaint !== undefined || undefined}>
      <label htmlFor={id}>
        {label} <Optional isOptional={isOptional} />
      </label>
      {children}
      <Complaint id={id} text={complaint} />
    </div>
  )
}

function Optional({ isOptional }: { readonly isOptional: boolean }) {
  const { words } = usePage()
  return isOptional ? <span className="optional">({words.form.optional})</span> : null
}

function Complaint({ id, text }: { readonly id: string; readonly text: string | undefined }) {
  return text === undefined ? null : (
    <p className="complaint" id={`${id}-complaint`}>
      {text}
    </p>
  )
}

/** What a control says of itself to those who cannot see it. */
export function controlProps(id: string, isRequired: boolean, complaint: string | undefined) {
  return {
    id,
    required: isRequired,
    'aria-invalid': complaint === undefined ? undefined : true,
    'aria-describedby': complaint === undefined ? undefined : `${id}-complaint`,
  } as const
}

type AnswerProps = {
  readonly field: Field
  readonly value: string
  readonly complaint: string | undefined
  onChange(value: string): void
}

const inputTypes: Readonly<Record<string, string>> = { email: 'email', phone_number: 'tel', date: 'date' }

/** The control for a field of any type that the API knows. */
export function AdditionalField(props: AnswerProps) {
  const { field, value, complaint, onChange } = props
  const { words } = usePage()
  const id = `fields.${field.key}`
  const isRequired = field.required === true
  const options = field.options ?? []
  const common = controlProps(id, isRequired, complaint)
  switch (field.type) {
    case 'checkbox':
      return <Tick {...props} />
    case 'radio_button':
    case 'multi_select':
      return <Choices {...props} />
    case 'dropdown':
      return (
        <Labelled id={id} label={field.label} isOptional={!isRequired} complaint={complaint}>
          <select
            {...common}
            value={value}
            disabled={field.isReadonly}
            onChange={(event) => onChange(event.target.value)}
          >
            <option value="">{words.form.choose}</option>
            {options.map((option) => (
              <option key={option}>{option}</option>
            ))}
          </select>
        </Labelled>
      )
    case 'multi_line_text':
      return (
        <Labelled id={id} label={field.label} isOptional={!isRequired} complaint={complaint}>
          <textarea
            {...common}
            rows={4}
            maxLength={longest.answer}
            value={value}
            readOnly={field.isReadonly}
            onChange={(event) => onChange(event.target.value)}
          />
        </Labelled>
      )
    default:
      return (
        <Labelled id={id} label={field.label} isOptional={!isRequired} complaint={complaint}>
          <input
            {...common}
            type={inputTypes[field.type] ?? 'text'}
            autoComplete={field.type === 'phone_number' ? 'tel' : 'off'}
            maxLength={field.type === 'date' ? undefined : longest.answer}
            value={value}
            readOnly={field.isReadonly}
            onChange={(event) => onChange(event.target.value)}
          />
        </Labelled>
      )
  }
}

function Tick({ field, value, complaint, onChange }: AnswerProps) {
  const id = `fields.${field.key}`
  return (
    <div className="field" data-wrong={complaint !== undefined || undefined}>
      <label className="choice">
        <input
          {...controlProps(id, field.required === true, complaint)}
          type="checkbox"
          checked={value === 'true'}
          disabled={field.isReadonly}
          onChange={(event) => onChange(event.target.checked ? 'true' : 'false')}
        />
        <span>
          {field.label} <Optional isOptional={field.required !== true} />
        </span>
      </label>
      <Complaint id={id} text={complaint} />
    </div>
  )
}

/** One of several, or some of several. */
function Choices({ field, value, complaint, onChange }: AnswerProps) {
  const id = `fields.${field.key}`
  const isMany = field.type === 'multi_select'
  const chosen = isMany ? (readChoices(value, field.options ?? []) ?? []) : [value]
  const toggle = (option: string) => {
    if (!isMany) return onChange(option)
    const all = chosen.includes(option) ? chosen.filter((one) => one !== option) : [...chosen, option]
    // In the order of the form, whatever the order of the clicks.
    onChange((field.options ?? []).filter((one) => all.includes(one)).join(','))
  }
  return (
    <fieldset
      id={id}
      tabIndex={-1}
      className="field"
      disabled={field.isReadonly}
      data-wrong={complaint !== undefined || undefined}
      aria-describedby={complaint === undefined ? undefined : `${id}-complaint`}
    >
      <legend>
        {field.label} <Optional isOptional={field.required !== true} />
      </legend>
      {(field.options ?? []).map((option) => (
        <label className="choice" key={option}>
          <input
            type={isMany ? 'checkbox' : 'radio'}
            name={id}
            required={!isMany && field.required === true}
            checked={chosen.includes(option)}
            onChange={() => toggle(option)}
          />
          <span>{option}</span>
        </label>
      ))}
      <Complaint id={id} text={complaint} />
    </fieldset>
  )
}
