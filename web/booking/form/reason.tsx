// A word on why, which nobody has to give.
import { useId } from 'react'

import { Labelled } from './field.tsx'

type ReasonProps = { readonly label: string; readonly value: string; onChange(value: string): void }

export function Reason({ label, value, onChange }: ReasonProps) {
  const id = useId()
  return (
    <Labelled id={id} label={label} isOptional complaint={undefined}>
      <textarea id={id} rows={3} maxLength={2_000} value={value} onChange={(event) => onChange(event.target.value)} />
    </Labelled>
  )
}
