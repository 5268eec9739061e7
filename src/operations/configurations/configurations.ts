// Makes, reads, changes and deletes what can be booked.
import { countSessions, findApplication } from '../../adapters/storage/accounts.ts'
import { recordAudit } from '../../adapters/storage/audit.ts'
import {
  findConfiguration,
  insertConfiguration,
  listConfigurations,
  lockConfiguration,
  markConfigurationDeleted,
  updateConfiguration,
} from '../../adapters/storage/configurations.ts'
import { ConstraintViolation } from '../../adapters/storage/database/database.ts'
import { newConfigurationId } from '../../adapters/storage/database/ids.ts'
import { scheduleArrangement } from '../../adapters/storage/reminders.ts'
import type { Grant } from '../../core/account/grant.ts'
import { actorOf, type Principal } from '../../core/account/principal.ts'
import { type ConfigurationId, isUuid } from '../../core/ids.ts'
import { invalidRequest, notFound, type Problem } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { findConfigurationProblem } from '../../wire/configurationRules.ts'
import {
  type ConfigurationChange,
  type ConfigurationDocument,
  cleanDocument,
  configurationToJson,
  mergeDocument,
  readConfiguration,
} from '../../wire/configurations.ts'
import { readReminders } from '../../wire/mailSettings.ts'
import { findPatternFault } from '../bookings/guestAnswers.ts'
import type { Tools } from '../tools.ts'
import { findHosts } from './loadConfiguration.ts'

type ConfigurationTools = Pick<Tools, 'database'>

/** Problems: `invalidRequest` that names the field, also for a slug that is taken and a participant without a grant. */
export async function createConfiguration(
  { database }: ConfigurationTools,
  principal: Principal,
  grant: Grant,
  body: ConfigurationDocument,
): Promise<Result<object>> {
  const document = cleanDocument(body)
  const application = await findApplication(database, grant.appId)
  if (application === undefined) return failure(notFound)
  const id = newConfigurationId(application.code)
  const problem = await findDocumentProblem({ database }, grant, document)
  if (problem !== undefined) return failure(problem)
  return refusingTakenSlug(() =>
    database.transaction(grant.appId, async (transaction) => {
      await Promise.all([
        insertConfiguration(transaction, { id, grantId: grant.id, document, ...columnsOf(document) }),
        recordAudit(transaction, { actor: actorOf(principal), action: 'configuration.create', target: id }),
      ])
      return success(configurationToJson(document, { id }))
    }),
  )
}

/** Problems: `notFound`. */
export async function readConfigurationDocument(
  { database }: ConfigurationTools,
  grant: Grant,
  id: string,
): Promise<Result<object>> {
  const row = await findOwn({ database }, grant, id)
  return row === undefined ? failure(notFound) : success(configurationToJson(row.document, { id: row.id }))
}

/** Oldest first; `nextCursor` is undefined on the last page. Problems: `invalidRequest` for a cursor that is none. */
export async function readConfigurations(
  { database }: ConfigurationTools,
  grant: Grant,
  { limit, after }: { readonly limit: number; readonly after: string | undefined },
): Promise<Result<{ configurations: object[]; nextCursor: string | undefined }>> {
  if (after !== undefined && !isUuid(after))
    return failure(invalidRequest('is not a cursor of this list', 'page_token'))
  const rows = await listConfigurations(database, grant.appId, grant.id, { limit: limit + 1, after })
  const page = rows.slice(0, limit)
  return success({
    configurations: page.map(({ id, document }) => configurationToJson(document as ConfigurationDocument, { id })),
    nextCursor: rows.length > limit ? page.at(-1)?.id : undefined,
  })
}

/** Members left out keep their value. Problems: as `createConfiguration`, `notFound`, `conflict` (changed meanwhile). */
export async function changeConfiguration(
  { database }: ConfigurationTools,
  principal: Principal,
  grant: Grant,
  id: string,
  change: ConfigurationChange,
): Promise<Result<object>> {
  const row = await findOwn({ database }, grant, id)
  if (row === undefined) return failure(notFound)
  const document = mergeDocument(row.document, change)
  const problem = await findDocumentProblem({ database }, grant, document)
  if (problem !== undefined) return failure(problem)
  return refusingTakenSlug(() =>
    database.transaction(grant.appId, async (transaction) => {
      const [isWritten] = await Promise.all([
        updateConfiguration(transaction, { id: row.id, version: row.version, document, ...columnsOf(document) }),
        recordAudit(transaction, { actor: actorOf(principal), action: 'configuration.update', target: row.id }),
        remindersIn(row.document) === remindersIn(document) ? undefined : scheduleArrangement(transaction, row.id),
      ])
      if (!isWritten)
        return failure({ kind: 'conflict', message: 'The configuration was changed by another request; read it again' })
      return success(configurationToJson(document, { id: row.id }))
    }),
  )
}

/** To be compared: what was stored comes back in another order of its keys, and may hold more than is understood. */
function remindersIn({ event_booking }: ConfigurationDocument): string {
  return JSON.stringify(readReminders(event_booking.reminders))
}

/** Its bookings stay and can still be cancelled. Problems: `notFound`, `invalidRequest` while sessions are active. */
export async function deleteConfiguration(
  { database }: ConfigurationTools,
  principal: Principal,
  grant: Grant,
  id: string,
): Promise<Result<undefined>> {
  const row = await findOwn({ database }, grant, id)
  if (row === undefined) return failure(notFound)
  return database.transaction(grant.appId, async (transaction) => {
    if (!(await lockConfiguration(transaction, row.id))) return failure(notFound)
    const active = await countSessions(transaction, grant.appId, row.id)
    if (active > 0)
      return failure(
        invalidRequest(
          `The configuration has ${active} active session${active === 1 ? '' : 's'}; delete them or wait until they expire`,
        ),
      )
    await Promise.all([
      markConfigurationDeleted(transaction, row.id),
      recordAudit(transaction, { actor: actorOf(principal), action: 'configuration.delete', target: row.id }),
    ])
    return success(undefined)
  })
}

async function findOwn({ database }: ConfigurationTools, grant: Grant, id: string) {
  const row = isUuid(id) ? await findConfiguration(database, grant.appId, id) : undefined
  if (row === undefined || row.grantId !== grant.id) return undefined
  return { ...row, document: row.document as ConfigurationDocument }
}

/** Shape was checked at the door; here the rules, and that every grant and calendar named is this application's. */
async function findDocumentProblem(
  { database }: ConfigurationTools,
  grant: Grant,
  document: ConfigurationDocument,
): Promise<Problem | undefined> {
  const problem = findConfigurationProblem(document) ?? findPatternProblem(document)
  if (problem !== undefined) return problem
  const meaning = readConfiguration(document, {
    appId: grant.appId,
    id: '' as ConfigurationId,
    grantId: grant.id,
    version: 0,
  })
  const hosts = await findHosts({ database }, meaning)
  return hosts.ok ? undefined : hosts.problem
}

/** A pattern that nobody can read would never be enforced. */
function findPatternProblem({ scheduler }: ConfigurationDocument): Problem | undefined {
  for (const [key, { pattern }] of Object.entries(scheduler?.additional_fields ?? {})) {
    const fault = pattern ? findPatternFault(pattern) : undefined
    if (fault !== undefined) return invalidRequest(fault, `scheduler.additional_fields.${key}.pattern`)
  }
  return undefined
}

function columnsOf({ slug, requires_session_auth }: ConfigurationDocument) {
  return { slug: slug || null, requiresSessionAuth: requires_session_auth ?? false }
}

async function refusingTakenSlug<T>(work: () => Promise<Result<T>>): Promise<Result<T>> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ConstraintViolation && error.constraint === 'configurations_slug')
      return failure(invalidRequest('is already taken in this application', 'slug'))
    throw error
  }
}
