// Writes that happen once, whatever becomes of their answers.
import { type Answered, type CallProblem, newKey } from '../../shared/client.ts'

/** What was done, and the wish that it was done by: perhaps an earlier one, whose answer had been lost. */
export type Sent<Wish, T> = { readonly value: T; readonly wish: Wish }

/**
 * `send` with a key that says what belongs together. While it is not known what became of a wish, all that follow go under
 * its key, so that the server does one of them at most; where that was an earlier one, it is what stands. A definite answer
 * ends it: whoever asks for the same thing again then means it anew.
 */
export function oneOfMany<Wish, T>(
  send: (wish: Wish, key: string) => Promise<Answered<T>>,
): (wish: Wish) => Promise<Answered<Sent<Wish, T>>> {
  let key = newKey()
  let unknown: readonly Wish[] = []

  const begin = () => {
    key = newKey()
    unknown = []
  }
  const attempt = async (wish: Wish): Promise<Answered<Sent<Wish, T>>> => {
    const sent = await send(wish, key)
    if (sent.ok) begin()
    return sent.ok ? { ok: true, value: { value: sent.value, wish } } : sent
  }
  const sendWish = async (wish: Wish): Promise<Answered<Sent<Wish, T>>> => {
    const sent = await attempt(wish)
    if (sent.ok) return sent
    if (!wasOther(sent.problem)) {
      if (isUnsettled(sent.problem)) unknown = [...unknown, wish]
      // Other refusals may come before the key is looked at, and say nothing of those that came before.
      else if (unknown.length === 0 || isSlotLost(sent.problem)) begin()
      return sent
    }
    for (const earlier of unknown) {
      const found = await attempt(earlier)
      if (found.ok || isUnsettled(found.problem)) return found
      if (!wasOther(found.problem)) break
    }
    // It had come through, and was refused.
    begin()
    return sendWish(wish)
  }
  return sendWish
}

/** The slot went to someone else, or is not offered any more. */
export function isSlotLost({ type }: CallProblem): boolean {
  return type === 'timeslot_not_available'
}

/** Nobody knows yet, or not now: the same may go well later. */
export function isUnsettled({ status, type }: CallProblem): boolean {
  return status === 0 || status >= 500 || status === 429 || type === stillRunning
}

/** The first of two that were sent under one key, while it is at work. */
export const stillRunning = 'api.concurrent_idempotent_request'

/** The key has been used with another body. */
function wasOther({ type }: CallProblem): boolean {
  return type === 'api.invalid_idempotent_request'
}
