// What tells a person at a page from a program that fills in forms. Only pages send it; who calls the API sends nothing of it.
import type { Principal } from '../core/account/principal.ts'
import { invalidRequest, type Problem } from '../core/problem.ts'
import type { Operations } from '../operations/operations.ts'
import type { PageCheckJson } from '../wire/bookings.ts'
import type { ProofOfWork } from './proofOfWork.ts'
import type { Asked, Limiter } from './rateLimit.ts'

/** From the page's first sight to its button; nobody chooses a time and presses a button in less. */
const leastSeconds = 1.5

/** A field that nobody sees was filled in, or all of it in no time. */
function findHaste({ website, open_seconds }: PageCheckJson): Problem | undefined {
  if (website) return invalidRequest('leave this field empty', 'page_check.website')
  if (typeof open_seconds === 'number' && open_seconds < leastSeconds)
    return invalidRequest('this was faster than a person; please try again', 'page_check.open_seconds')
  return undefined
}

type CheckTools = {
  readonly operations: Pick<Operations, 'wantsProofOfWork'>
  readonly limiter: Limiter
  readonly proofOfWork: ProofOfWork
}

/**
 * Nothing to say about those with a key or a session. Problems: `invalidRequest`, `proofRequired`, and those of the configuration
 * where it is over half of a limit.
 */
export async function findPageProblem(
  { operations, limiter, proofOfWork }: CheckTools,
  asked: Asked,
): Promise<Problem | undefined> {
  if (asked.principal.kind !== 'anyone') return undefined
  const check = (asked.body as { readonly page_check?: PageCheckJson | null }).page_check ?? {}
  const haste = findHaste(check)
  if (haste !== undefined) return haste
  if (!(await limiter.isHalfSpent(asked))) return undefined
  const wanted = await operations.wantsProofOfWork(asked.principal as Principal, asked.query as object)
  if (!wanted.ok) return wanted.problem
  const { configurationId, wants } = wanted.value
  if (!wants || (check.proof && (await proofOfWork.accept(check.proof, configurationId)))) return undefined
  return proofOfWork.demand(configurationId)
}
