// A configuration with everything behind its names: the document, what it means, its hosts and their calendars.
import { findAppByCode } from '../../adapters/storage/accounts.ts'
import {
  findConfiguration,
  findConfigurationEvenDeleted,
  findConfigurationIdBySlug,
} from '../../adapters/storage/configurations.ts'
import type { Database } from '../../adapters/storage/database/database.ts'
import { findHostGrants, type HostGrant } from '../../adapters/storage/hosts.ts'
import type { Principal } from '../../core/account/principal.ts'
import {
  type Configuration,
  type ConfigurationParticipant,
  calendarsToRead,
  type Host,
  hostsOf,
  isRoundRobin,
  type ParticipantCalendar,
} from '../../core/configuration/configuration.ts'
import { type AppId, type ConfigurationId, isUuid } from '../../core/ids.ts'
import { invalidRequest, notFound } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { type ConfigurationDocument, readConfiguration } from '../../wire/configurations.ts'
import type { Tools } from '../tools.ts'

/** The document and what it means: enough to read, confirm and cancel bookings, whatever became of the hosts. */
export type KnownConfiguration = { readonly configuration: Configuration; readonly document: ConfigurationDocument }

/** With everything that is needed to offer and take time. */
export type LoadedConfiguration = KnownConfiguration & {
  /** Those who serve: of a round robin the candidates, otherwise everyone with a calendar. */
  readonly hosts: readonly Host[]
  /** All calendars of the hosts, in the order in which they are locked. */
  readonly calendars: readonly ParticipantCalendar[]
}

/** How a call to `/v3/scheduling/…` says which configuration it means. */
export type ConfigurationQuery = {
  readonly configuration_id?: string | undefined
  readonly slug?: string | undefined
  readonly client_id?: string | undefined
  /** The booking that the call is about, where it is about one. */
  readonly booking_id?: string | undefined
}

/** Kept by id and compared by version at each use. What is kept is made of what a client may read anyway. */
const kept = new WeakMap<Database, Map<ConfigurationId, LoadedConfiguration>>()
const keptLimit = 10_000

/**
 * The configuration that a scheduler call means: the session's own, else `configuration_id`, else `slug` with `client_id`.
 * Problems: `invalidRequest` (none named), `notFound`, `invalidSession` (private, without a session of its own).
 */
export async function resolveConfiguration(
  tools: Pick<Tools, 'database'>,
  principal: Principal,
  query: ConfigurationQuery,
  which: 'live' | 'evenDeleted' | 'kept' = 'live',
): Promise<Result<KnownConfiguration>> {
  const named = await nameConfiguration(tools, principal, query)
  if (!named.ok) return named
  const { appId, id } = named.value
  const isOpen = ({ configuration }: KnownConfiguration) =>
    !configuration.requiresSessionAuth || opensPrivate(principal, query)
  const kept = which === 'kept' ? peekConfiguration(tools.database, id) : undefined
  // What is kept refuses nobody: the configuration may have been opened meanwhile.
  if (kept?.configuration.appId === appId && isOpen(kept)) return success(kept)
  const known = await findKnownConfiguration(tools, appId, id, which === 'evenDeleted' ? which : 'live')
  return known.ok && !isOpen(known.value) ? failure({ kind: 'invalidSession', message: 'Invalid session' }) : known
}

/** A session opens its configuration; the reference of a booking opens what concerns that booking. */
function opensPrivate(principal: Principal, { booking_id }: ConfigurationQuery): boolean {
  return (
    principal.kind === 'session' || (principal.kind === 'booking' && booking_id?.toLowerCase() === principal.bookingId)
  )
}

/**
 * As `resolveConfiguration`, with the hosts. `kept`: as it was last read here, for callers who compare its version before
 * anything comes of it. Problems: also those of `loadHosts`.
 */
export async function resolveWithHosts(
  tools: Pick<Tools, 'database'>,
  principal: Principal,
  query: ConfigurationQuery,
  which: 'live' | 'evenDeleted' | 'kept' = 'live',
): Promise<Result<LoadedConfiguration>> {
  const known = await resolveConfiguration(tools, principal, query, which)
  return known.ok ? loadHosts(tools, known.value) : known
}

/** Which configuration a call means, before anything is read of it. Problems: `invalidRequest`, `notFound`. */
export async function nameConfiguration(
  { database }: Pick<Tools, 'database'>,
  principal: Principal,
  { configuration_id, slug, client_id }: ConfigurationQuery,
): Promise<Result<{ appId: AppId; id: ConfigurationId }>> {
  if (principal.kind === 'session' || principal.kind === 'booking')
    return success({ appId: principal.appId, id: principal.configurationId })
  if (configuration_id) {
    if (!isUuid(configuration_id)) return failure(notFound)
    const id = configuration_id.toLowerCase() as ConfigurationId
    const appId = principal.kind === 'anyone' ? await findAppByCode(database, id.slice(0, 8)) : principal.appId
    return appId === undefined ? failure(notFound) : success({ appId, id })
  }
  if (slug) {
    const appId = principal.kind === 'anyone' ? client_id?.toLowerCase() : principal.appId
    if (!appId) return failure(invalidRequest('is required together with slug', 'client_id'))
    if (!isUuid(appId)) return failure(notFound)
    const id = await findConfigurationIdBySlug(database, appId as AppId, slug)
    return id === undefined ? failure(notFound) : success({ appId: appId as AppId, id })
  }
  return failure(invalidRequest('configuration_id is required, or slug with client_id, or a session'))
}

/** Bookings outlive their configuration, so what is done to one asks for it `evenDeleted`. Problems: `notFound`. */
export async function findKnownConfiguration(
  { database }: Pick<Tools, 'database'>,
  appId: AppId,
  id: ConfigurationId,
  which: 'live' | 'evenDeleted' = 'live',
): Promise<Result<KnownConfiguration>> {
  const row = await (which === 'live' ? findConfiguration : findConfigurationEvenDeleted)(database, appId, id)
  if (row === undefined) return failure(notFound)
  const known = keptBy(database).get(id)
  if (known?.configuration.version === row.version) return success(known)
  const document = row.document as ConfigurationDocument
  const configuration = readConfiguration(document, { appId, id, grantId: row.grantId, version: row.version })
  return success({ configuration, document })
}

/**
 * Problems: `invalidRequest` where a participant has lost the grant or calendar that it names. Of a round robin those who have
 * lost theirs take no turn; it is refused only when nobody is left.
 */
export async function loadHosts(
  { database }: Pick<Tools, 'database'>,
  known: KnownConfiguration,
): Promise<Result<LoadedConfiguration>> {
  const { configuration, document } = known
  const all = keptBy(database)
  const kept = all.get(configuration.id)
  if (kept?.configuration.version === configuration.version) return success(kept)
  // A grant that must be connected anew makes its calendars unreadable; the configuration stands.
  const found = await findEachHost({ database }, configuration, 'evenInvalid')
  const lost = found.find((host) => !host.ok)
  const serving = hostsOf(
    configuration,
    found.flatMap((host) => (host.ok ? [host.value] : [])),
  )
  if (lost !== undefined && !lost.ok && !(isRoundRobin(configuration) && serving.length > 0)) return lost
  const loaded: LoadedConfiguration = {
    configuration,
    document,
    hosts: serving,
    calendars: calendarsToRead(configuration, serving),
  }
  // Who was lost may come back, and the version of the configuration would not tell.
  if (lost !== undefined) return success(loaded)
  if (all.size >= keptLimit) all.clear()
  all.set(configuration.id, loaded)
  return success(loaded)
}

/** What is kept of this configuration, whatever its version: the caller compares versions. */
export function peekConfiguration(database: Database, id: ConfigurationId): LoadedConfiguration | undefined {
  return keptBy(database).get(id)
}

/** For callers who found a calendar gone that the kept hosts name. */
export function forgetConfiguration(database: Database, id: ConfigurationId): void {
  keptBy(database).delete(id)
}

function keptBy(database: Database): Map<ConfigurationId, LoadedConfiguration> {
  let map = kept.get(database)
  if (map === undefined) {
    map = new Map()
    kept.set(database, map)
  }
  return map
}

/**
 * Every participant with the calendars behind the names it uses; all must belong to valid grants of the same application.
 * Problems: `invalidRequest` that names the participant.
 */
export async function findHosts(
  tools: Pick<Tools, 'database'>,
  configuration: Pick<Configuration, 'appId' | 'participants'>,
): Promise<Result<Host[]>> {
  const hosts: Host[] = []
  for (const host of await findEachHost(tools, configuration, 'valid')) {
    if (!host.ok) return host
    hosts.push(host.value)
  }
  return success(hosts)
}

/** In the order of the participants. */
async function findEachHost(
  { database }: Pick<Tools, 'database'>,
  { appId, participants }: Pick<Configuration, 'appId' | 'participants'>,
  which: 'valid' | 'evenInvalid',
): Promise<Result<Host>[]> {
  const grants = await database.read(appId, (transaction) =>
    findHostGrants(
      transaction,
      participants.map(({ email }) => email),
      participants.flatMap(({ grantId }) => (grantId !== undefined && isUuid(grantId) ? [grantId] : [])),
    ),
  )
  const usable = grants.filter(({ isValid }) => isValid || which === 'evenInvalid')
  return participants.map((participant, index) => findHost(participant, index, usable))
}

function findHost(participant: ConfigurationParticipant, index: number, grants: readonly HostGrant[]): Result<Host> {
  const { email, grantId, availabilityCalendarIds, bookingCalendarId } = participant
  if (grantId !== undefined && !isUuid(grantId))
    return failure(invalidRequest('must be the id of a grant', `participants[${index}].grant_id`))
  const grant = grants.find((candidate) =>
    grantId === undefined
      ? candidate.email.toLowerCase() === email.toLowerCase()
      : candidate.id === grantId.toLowerCase(),
  )
  const needsGrant = availabilityCalendarIds !== undefined || bookingCalendarId !== undefined
  if (grant === undefined && needsGrant)
    return failure(invalidRequest(`Failed to find a valid Grant for ${email}`, `participants[${index}].email`))
  const found = new Map<string, ParticipantCalendar>()
  for (const name of [
    ...(availabilityCalendarIds ?? []),
    ...(bookingCalendarId === undefined ? [] : [bookingCalendarId]),
  ]) {
    const calendar = grant?.calendars.find(({ id, isPrimary }) => id === name || (name === 'primary' && isPrimary))
    if (grant === undefined || calendar === undefined)
      return failure(invalidRequest(`${email} has no calendar "${name}"`, `participants[${index}]`))
    const account = grant.provider === 'virtual-calendar' ? {} : { account: grant.email }
    found.set(name, { key: { grantId: grant.id, calendarId: calendar.id }, provider: grant.provider, ...account })
  }
  const behind = (name: string) => found.get(name) as ParticipantCalendar
  return success({
    participant,
    availabilityCalendars: [...new Set(availabilityCalendarIds ?? [])].map(behind),
    bookingCalendar: bookingCalendarId === undefined ? undefined : behind(bookingCalendarId),
  })
}
