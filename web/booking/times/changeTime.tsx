// The way from the form back to the times; not while something is under way.
import { usePage } from '../page.tsx'
import type { Choice } from './useChoice.ts'

type ChangeTimeProps = { readonly choice: Pick<Choice<unknown, unknown>, 'standing' | 'change'> }

export function ChangeTime({ choice }: ChangeTimeProps) {
  const { words } = usePage()
  return (
    <button
      type="button"
      className="quiet"
      aria-disabled={choice.standing.is === 'sending' || undefined}
      onClick={choice.change}
    >
      {words.form.change}
    </button>
  )
}
