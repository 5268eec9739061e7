// What a refusal of the API means for a page, in the page's own words.
import type { CallProblem } from '../../shared/client.ts'
import type { Words } from '../languages/en.ts'
import { isSlotLost, stillRunning } from './tries.ts'

/** The page asks for what is not there, or is otherwise by now: it has to be loaded again. */
export function isOutdated({ status, type }: CallProblem): boolean {
  if (type === 'provider_error') return false
  return status === 401 || status === 404 || ((status === 400 || status === 409) && type === 'invalid_request_error')
}

/** What to tell the person in front of the page. The API's own sentences are English, and for whoever calls it. */
export function explain(problem: CallProblem, { errors, messages, times }: Words): string {
  const { status, type } = problem
  if (status === 0 || type === stillRunning) return errors.network
  if (status === 429) return errors.tooMany
  if (status === 428) return messages.busy
  if (type === 'invalid_session') return errors.session
  if (type === 'provider_error') return errors.calendar
  if (isSlotLost(problem)) return times.taken
  if (status >= 500) return errors.server
  if (status === 413) return errors.tooLong
  if (status === 409) return errors.changed
  return status === 404 ? errors.outdated : errors.failed
}
