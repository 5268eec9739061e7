// What whoever runs the server does with applications and their API keys.
import * as storage from '../../adapters/storage/accounts.ts'
import { recordAudit } from '../../adapters/storage/audit.ts'
import type { Queryable } from '../../adapters/storage/database/database.ts'
import { newAppId } from '../../adapters/storage/database/ids.ts'
import { terminal } from '../../core/account/principal.ts'
import { type AppId, isUuid } from '../../core/ids.ts'
import { invalidRequest, notFound } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { dayMs, plus } from '../../core/time/instant.ts'
import type { Tools } from '../tools.ts'

type Needs = Pick<Tools, 'database'>

/** A new application with its first key, which is answered once and never again. */
export function createApplication(
  { database }: Needs,
  name: string,
): Promise<Result<{ application: storage.Application; keyId: string; apiKey: string }>> {
  return database.transaction(newAppId(), async (transaction) => {
    const application = await storage.insertApplication(transaction, name, transaction.appId)
    await recordAudit(transaction, { actor: terminal, action: 'application.created', target: application.id })
    const { id, token } = await storage.insertKey(transaction, application, { name: 'first' })
    await recordAudit(transaction, { actor: terminal, action: 'key.created', target: id })
    return success({ application, keyId: id, apiKey: token })
  })
}

/** Oldest first. */
export async function listApplications({ database }: Needs): Promise<Result<storage.Application[]>> {
  return success(await storage.listApplications(database))
}

export type NewKey = {
  readonly name: string
  /** Absent: the oldest application. */
  readonly applicationId?: string | undefined
  readonly expiresDays?: number | undefined
}

/** The key is answered once. Problems: `notFound` for an application that is not there. */
export async function createKey(
  { database, now }: Pick<Tools, 'database' | 'now'>,
  { name, applicationId, expiresDays }: NewKey,
): Promise<Result<{ application: storage.Application; keyId: string; apiKey: string }>> {
  const application = await chooseApplication(database, applicationId)
  if (application === undefined) return failure(applicationId === undefined ? noApplication : notFound)
  return database.transaction(application.id, async (transaction) => {
    const expiresAt = expiresDays === undefined ? undefined : plus(now(), expiresDays * dayMs)
    const { id, token } = await storage.insertKey(transaction, application, { name, expiresAt })
    await recordAudit(transaction, { actor: terminal, action: 'key.created', target: id })
    return success({ application, keyId: id, apiKey: token })
  })
}

const noApplication = invalidRequest('there is no application yet; make one with "openslot applications create"')

async function chooseApplication(
  database: Queryable,
  id: string | undefined,
): Promise<storage.Application | undefined> {
  if (id === undefined) return (await storage.listApplications(database))[0]
  return isUuid(id) ? storage.findApplication(database, id.toLowerCase() as AppId) : undefined
}

/** Of all applications, oldest first within each. */
export async function listKeys({
  database,
}: Needs): Promise<Result<(storage.ApiKey & { application: storage.Application })[]>> {
  const keys = []
  for (const application of await storage.listApplications(database))
    for (const key of await storage.listKeys(database, application.id)) keys.push({ ...key, application })
  return success(keys)
}

/** Effective at once; a second time changes nothing. Problems: `notFound`. */
export async function revokeKey({ database }: Needs, id: string): Promise<Result<void>> {
  if (!isUuid(id)) return failure(notFound)
  for (const application of await storage.listApplications(database)) {
    const revoked = await database.transaction(application.id, async (transaction) => {
      if (!(await storage.revokeKey(transaction, application.id, id))) return failure(notFound)
      await recordAudit(transaction, { actor: terminal, action: 'key.revoked', target: id })
      return success(undefined)
    })
    if (revoked.ok) return revoked
  }
  return failure(notFound)
}
