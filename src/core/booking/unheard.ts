// What a mail has to say for those before it that never reached its reader.
import { type Interval, isSameInterval } from '../time/interval.ts'
import type { Mail } from './mail.ts'

/**
 * `mail`, as it reads to someone to whom `unheard`, oldest first, are news too: who was never told of a booking is told of it,
 * not of its change; and a time has moved from where they last knew it, not from where it was in between.
 */
export function withUnheard(mail: Mail, unheard: readonly Mail[]): Mail {
  switch (mail.kind) {
    case 'changed':
    case 'rescheduled':
      return told(mail, unheard, { first: 'confirmed', moved: 'rescheduled', stayed: 'changed' })
    // Also of people alone.
    case 'requestReceived':
      return told(mail, unheard, { first: 'requestReceived', moved: 'requestMoved', stayed: 'requestReceived' })
    case 'requestMoved':
      return told(mail, unheard, { first: 'requestReceived', moved: 'requestMoved', stayed: 'requestMoved' })
    case 'confirmationRequest': {
      const first = unheard.find(({ kind }) => kind === mail.kind)
      return first === undefined ? mail : movedFrom(mail, first.before)
    }
    default:
      return mail
  }
}

type Kinds = Readonly<Record<'first' | 'moved' | 'stayed', Mail['kind']>>

function told(mail: Mail, unheard: readonly Mail[], kinds: Kinds): Mail {
  const first = unheard.findLast(({ kind }) => kind === kinds.first)
  if (first !== undefined)
    return { ...movedFrom(mail, undefined), kind: first.kind, policy: first.policy, template: first.template }
  const known = unheard.find(({ kind }) => kind === kinds.moved)?.before ?? mail.before
  const moved = movedFrom(mail, known)
  return { ...moved, kind: moved.before === undefined ? kinds.stayed : kinds.moved }
}

/** Without a time before where it is the same one. */
function movedFrom({ before: _, ...mail }: Mail, before: Interval | undefined): Mail {
  const hasMoved = before !== undefined && !isSameInterval(before, mail.when)
  return hasMoved ? { ...mail, before } : mail
}
