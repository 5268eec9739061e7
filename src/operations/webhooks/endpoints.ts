// Webhook endpoints: made, changed and revived only when the receiver answers a challenge.
import { countAudited, recordAudit } from '../../adapters/storage/audit.ts'
import { newId } from '../../adapters/storage/database/ids.ts'
import * as storage from '../../adapters/storage/webhookEndpoints.ts'
import { challenge, sendWebhook } from '../../adapters/webhooks/sender.ts'
import { newWebhookSecret } from '../../adapters/webhooks/signature.ts'
import type { Caller } from '../../core/account/principal.ts'
import { type AppId, isUuid } from '../../core/ids.ts'
import { endpointNotFound, invalidRequest } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { hourMs, plus, toUnixSeconds } from '../../core/time/instant.ts'
import {
  challengeFailuresPerHour,
  type Endpoint,
  type EndpointId,
  type EndpointStatus,
  endpointLimit,
  type Trigger,
} from '../../core/webhook/endpoint.ts'
import { type EndpointContent, sampleNotification, type WebhookBody } from '../../wire/webhooks.ts'
import type { Tools } from '../tools.ts'
import { sendMissed } from './replays.ts'

type Needs = Pick<Tools, 'database' | 'vault' | 'safeFetch' | 'now'>

/** Oldest first. */
export async function listEndpoints({ database }: Pick<Tools, 'database'>, appId: AppId): Promise<Result<Endpoint[]>> {
  return success(await database.read(appId, storage.listEndpoints))
}

export async function showEndpoint(
  { database }: Pick<Tools, 'database'>,
  appId: AppId,
  id: string,
): Promise<Result<Endpoint>> {
  if (!isUuid(id)) return failure(endpointNotFound)
  const found = await database.read(appId, (transaction) => storage.findEndpoint(transaction, id))
  return found === undefined ? failure(endpointNotFound) : success(found)
}

/** Problems: `invalidRequest` (the URL, or past ten endpoints), `endpointUnverified`, `rateLimited`. */
export async function createEndpoint(
  tools: Needs,
  caller: Caller,
  content: EndpointContent,
): Promise<Result<{ endpoint: Endpoint; secret: string }>> {
  const { appId, actor } = caller
  const verified = await verify(tools, caller, content.url)
  if (!verified.ok) return verified
  return tools.database.transaction(appId, async (transaction) => {
    if ((await storage.countEndpointsForInsert(transaction)) >= endpointLimit)
      return failure(invalidRequest(`an application has at most ${endpointLimit} webhook endpoints`))
    const secret = newWebhookSecret()
    const id = newId() as EndpointId
    const endpoint = await storage.insertEndpoint(transaction, tools.vault, { ...content, id, secret })
    await recordAudit(transaction, { actor, action: 'webhook.created', target: id })
    return success({ endpoint, secret })
  })
}

/**
 * `change` makes the new content of the old one. A new URL, and waking an endpoint that was not active, need an answered
 * challenge. What waited for an endpoint that is awake again is sent, and what was given up meanwhile is tried again.
 */
export async function changeEndpoint(
  tools: Needs,
  caller: Caller,
  id: string,
  change: {
    readonly content: (before: Endpoint) => Result<EndpointContent>
    readonly status: 'active' | 'pause' | undefined
  },
): Promise<Result<Endpoint>> {
  const shown = await showEndpoint(tools, caller.appId, id)
  if (!shown.ok) return shown
  const content = change.content(shown.value)
  if (!content.ok) return content
  const isMoved = content.value.url !== shown.value.url
  const isWoken = change.status === 'active' && shown.value.status !== 'active'
  if (isMoved || isWoken) {
    const verified = await verify(tools, caller, content.value.url)
    if (!verified.ok) return verified
  }
  return tools.database.transaction(caller.appId, async (transaction) => {
    const before = await storage.lockEndpoint(transaction, id)
    if (before === undefined) return failure(endpointNotFound)
    const current = change.content(before)
    if (!current.ok) return current
    // What was verified is this URL and no other.
    if (current.value.url !== content.value.url)
      return failure({ kind: 'conflict', message: 'The webhook was changed by another request; read it again' })
    const status: EndpointStatus = change.status ?? before.status
    const changed = await storage.updateEndpoint(transaction, { ...current.value, id: before.id, status })
    if (changed === undefined) return failure(endpointNotFound)
    if (status === 'active' && before.status !== 'active') await sendMissed(transaction, changed, tools.now())
    await recordAudit(transaction, {
      actor: caller.actor,
      action: 'webhook.updated',
      target: id,
      detail: { status, isMoved },
    })
    return success(changed)
  })
}

export async function deleteEndpoint(
  { database }: Pick<Tools, 'database'>,
  { appId, actor }: Caller,
  id: string,
): Promise<Result<void>> {
  if (!isUuid(id)) return failure(endpointNotFound)
  return database.transaction(appId, async (transaction) => {
    if (!(await storage.deleteEndpoint(transaction, id))) return failure(endpointNotFound)
    await recordAudit(transaction, { actor, action: 'webhook.deleted', target: id })
    return success(undefined)
  })
}

/** The new secret signs at once; for a day the old one does too. */
export async function rotateEndpointSecret(
  { database, vault, now }: Pick<Tools, 'database' | 'vault' | 'now'>,
  { appId, actor }: Caller,
  id: string,
): Promise<Result<{ endpoint: Endpoint; secret: string }>> {
  if (!isUuid(id)) return failure(endpointNotFound)
  return database.transaction(appId, async (transaction) => {
    const endpoint = await storage.lockEndpoint(transaction, id)
    if (endpoint === undefined) return failure(endpointNotFound)
    const secret = newWebhookSecret()
    await storage.rotateSecret(transaction, vault, endpoint.id, { secret, now: now() })
    await recordAudit(transaction, { actor, action: 'webhook.secretRotated', target: id })
    return success({ endpoint, secret })
  })
}

/** What a receiver would get for `trigger`. */
export async function mockPayload(_tools: object, appId: AppId, trigger: Trigger): Promise<Result<WebhookBody>> {
  return success(sampleNotification(appId, trigger, newId()))
}

/** As the wire has it, for everyone the same: whoever knows it can forge no real notification. */
const testSecret = 'mock-webhook-secret'

/** Sends a sample to `url`, without a challenge. Problems: `invalidRequest`, `endpointUnverified`, `rateLimited`. */
export async function sendTestNotification(
  tools: Pick<Tools, 'database' | 'safeFetch' | 'now'>,
  caller: Caller,
  { trigger, url }: { readonly trigger: Trigger; readonly url: string },
): Promise<Result<void>> {
  const id = newId()
  return calling(tools, caller, url, async () => {
    const { error } = await sendWebhook(tools.safeFetch, {
      id,
      url,
      secrets: [testSecret],
      body: sampleNotification(caller.appId, trigger, id),
      isCompressed: false,
      atSeconds: toUnixSeconds(tools.now()),
    })
    return error
  })
}

function verify(
  tools: Pick<Tools, 'database' | 'safeFetch' | 'now'>,
  caller: Caller,
  url: string,
): Promise<Result<void>> {
  return calling(tools, caller, url, () => challenge(tools.safeFetch, url))
}

const failedCall = 'webhook.unverified'

/** Calls an address for the first time, so no transaction is open; who errs too often waits. `call` answers what is wrong. */
async function calling(
  { database, safeFetch, now }: Pick<Tools, 'database' | 'safeFetch' | 'now'>,
  { appId, actor }: Caller,
  url: string,
  call: () => Promise<string | undefined>,
): Promise<Result<void>> {
  if (!safeFetch.isAllowed(url))
    return failure(
      invalidRequest('must be an https address on a usual port, without user name or password', 'webhook_url'),
    )
  const failures = await database.read(appId, (transaction) =>
    countAudited(transaction, failedCall, plus(now(), -hourMs)),
  )
  if (failures >= challengeFailuresPerHour)
    return failure({
      kind: 'rateLimited',
      message: 'Too many webhook URLs could not be verified; try again in an hour.',
      retryAfterSeconds: 3_600,
    })
  const error = await call()
  if (error === undefined) return success(undefined)
  await database.transaction(appId, (transaction) =>
    recordAudit(transaction, { actor, action: failedCall, target: new URL(url).host, detail: { error } }),
  )
  return failure({ kind: 'endpointUnverified', message: `unable.verify.webhook_url : ${error}` })
}
