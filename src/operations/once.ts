// Runs a write at most once for each `Idempotency-Key`.
import type { Database, Transaction } from '../adapters/storage/database/database.ts'
import {
  endLease,
  findTurn,
  giveTurnBack,
  keepAnswer,
  type RepeatableRequest,
  takeTurn,
} from '../adapters/storage/idempotency.ts'
import type { Problem } from '../core/problem.ts'
import { failure, type Result, success } from '../core/result.ts'

/** `data` is the answer's; absent where the body is the request id alone. `changedNothing`: all was as asked for already. */
export type WriteAnswer = { readonly data?: object; readonly isReplay: boolean; readonly changedNothing?: boolean }

/** What `run` gets: the id for what it makes, and what to write in the transaction that makes it. */
export type OnceContext = {
  readonly objectId: string
  /** The first request died on the way: what it was to do may be done, or half done. */
  readonly mayExist: boolean
  readonly remember: ((transaction: Transaction, data: object | undefined) => Promise<void>) | undefined
}

/** Answers that say "not now": a repeat with the same key tries again. */
const passing: readonly Problem['kind'][] = [
  'idempotencyInProgress',
  'unavailable',
  'calendarUnavailable',
  'rateLimited',
  'conflict',
  'unauthorized',
  'invalidSession',
]

export const stillRunning: Problem = {
  kind: 'idempotencyInProgress',
  message: 'The first request with this Idempotency-Key is still running',
  retryAfterSeconds: 1,
}

/**
 * `run`, or the answer that it gave before to the same key and the same body.
 * Problems: those of `run`, `idempotencyMismatch`, `idempotencyInProgress`.
 */
export async function once(
  database: Database,
  repeatable: Omit<RepeatableRequest, 'key'> & { readonly key: string | undefined; readonly objectId: string },
  run: (context: OnceContext) => Promise<Result<object | undefined>>,
): Promise<Result<WriteAnswer>> {
  const { key } = repeatable
  if (key === undefined)
    return withoutReplay(await run({ objectId: repeatable.objectId, mayExist: false, remember: undefined }))

  const { appId, scope, request: body, objectId } = repeatable
  const request: RepeatableRequest = { appId, scope, request: body, key }
  const turn = await takeTurn(database, request, objectId)
  switch (turn.kind) {
    case 'running':
      return failure(stillRunning)
    case 'otherRequest':
      return failure({ kind: 'idempotencyMismatch', message: 'This Idempotency-Key was used with another request' })
    case 'answered':
      return replay(turn.response as Remembered)
    case 'first':
    case 'takenOver': {
      let isRemembered = false
      const remember = async (transaction: Transaction, data: object | undefined) => {
        await keepAnswer(transaction, request, { data })
        isRemembered = true
      }
      const answered = await answer(database, request, turn.kind, () =>
        run({ objectId: turn.objectId, mayExist: turn.kind === 'takenOver', remember }),
      )
      // Nothing was to be done, or an earlier try or the worker had done it.
      if (answered.ok && !isRemembered) await keepAnswer(database, request, { data: answered.value.data })
      return answered
    }
  }
}

/** What `once` answers to the repeat of a request whose sender may do no more; undefined where it is none. Nothing is written. */
export async function findAnswer(
  database: Database,
  { key, ...repeatable }: Omit<RepeatableRequest, 'key'> & { readonly key: string | undefined },
): Promise<Result<WriteAnswer> | undefined> {
  const turn = key === undefined ? undefined : await findTurn(database, { ...repeatable, key })
  if (turn?.kind === 'running') return failure(stillRunning)
  return turn?.kind === 'answered' ? replay(turn.response as Remembered) : undefined
}

type Remembered = { readonly data?: object; readonly problem?: Problem }

async function answer(
  database: Database,
  request: RepeatableRequest,
  turn: 'first' | 'takenOver',
  run: () => Promise<Result<object | undefined>>,
): Promise<Result<WriteAnswer>> {
  let result: Result<object | undefined>
  try {
    result = await run()
  } catch (error) {
    // It may have written before it failed: a repeat has to look.
    await endLease(database, request).catch(() => {})
    throw error
  }
  if (result.ok) return withoutReplay(result)
  if (!passing.includes(result.problem.kind)) await keepAnswer(database, request, { problem: result.problem })
  else if (turn === 'takenOver') await endLease(database, request)
  else await giveTurnBack(database, request)
  return result
}

function replay({ data, problem }: Remembered): Result<WriteAnswer> {
  if (problem !== undefined) return failure({ ...problem, isReplay: true })
  return success(data === undefined ? { isReplay: true } : { data, isReplay: true })
}

function withoutReplay(result: Result<object | undefined>): Result<WriteAnswer> {
  if (!result.ok) return result
  return success(result.value === undefined ? { isReplay: false } : { data: result.value, isReplay: false })
}
