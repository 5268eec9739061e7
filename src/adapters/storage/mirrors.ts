// The busy mirror: what calendars elsewhere said, when it was true, and how each calendar stands.
import type { CalendarKey } from '../../core/account/grant.ts'
import type { MirrorHealth } from '../../core/calendar/health.ts'
import type { AppId, BookingId, EventId, GrantId } from '../../core/ids.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Interval } from '../../core/time/interval.ts'
import { bookingIdOfEvent } from './bookings.ts'
import type { Queryable, Transaction } from './database/database.ts'
import { type Sql, sql, toRange } from './database/sql.ts'

export type MirrorName = CalendarKey & { readonly appId: AppId }

export type Mirror = {
  readonly token: string | undefined
  /** The span whose busy time is known; undefined before the first whole reading. */
  readonly covered: Interval | undefined
  readonly generation: number
  /** For how long it has failed; 0 for one that does not. */
  readonly failingMs: number
  readonly health: MirrorHealth
  /** Milliseconds since everything was read; undefined before the first time. */
  readonly sinceReadMs: number | undefined
  /** By the database's clock, before anything was asked. */
  readonly asOf: Instant
}

/**
 * For the calendars of a grant that have none yet; those that have one are due at once, read as a whole, and compared with the
 * bookings again: a token of the server where the account was may be good where it is now, and means something else.
 */
export async function ensureMirrors(transaction: Transaction, grantId: GrantId): Promise<void> {
  const { appId } = transaction
  await transaction.query(sql`
    insert into openslot.mirrors as mirror (app_id, grant_id, calendar_id)
    select app_id, grant_id, id from openslot.calendars where app_id = ${appId} and grant_id = ${grantId}
    on conflict (app_id, grant_id, calendar_id) do update set due_at = now(), reconciled = -1,
      token = null, generation = mirror.generation + 1, true_at = null,
      since = case when mirror.health = 'ok' then mirror.since else now() end, health = 'ok', reason = null, about = null`)
}

/** For the calendars of a grant that have none yet; the others stay as they are. */
export async function addMirrors(transaction: Transaction, grantId: GrantId): Promise<void> {
  const { appId } = transaction
  await transaction.query(sql`
    insert into openslot.mirrors (app_id, grant_id, calendar_id)
    select app_id, grant_id, id from openslot.calendars where app_id = ${appId} and grant_id = ${grantId}
    on conflict do nothing`)
}

/** All of a calendar is read again, at once: its whole days begin at another hour. */
export async function forgetToken(queryable: Queryable, appId: AppId, key: CalendarKey): Promise<void> {
  await queryable.query(sql`
    update openslot.mirrors set token = null, generation = generation + 1, true_at = null, due_at = now()
    where ${isMirror(appId, key)}`)
}

export type DueMirror = MirrorName & { readonly isFailing: boolean }

/**
 * Calendars that are due, in whichever application, the oldest first, of those that failed the last time at most `failing`:
 * each is given to one process alone, for `leaseSeconds`.
 */
export function takeDueMirrors(
  queryable: Queryable,
  { limit, failing, leaseSeconds }: { readonly limit: number; readonly failing: number; readonly leaseSeconds: number },
): Promise<DueMirror[]> {
  // Rows that another process is taking are passed over, so two of them never wait for each other.
  return queryable.query<DueMirror>(sql`
    with due as materialized (
      select app_id, grant_id, calendar_id from (
        select *, count(*) filter (where health <> 'ok') over (order by due_at rows unbounded preceding) as failing
        from openslot.mirrors where due_at <= now()) as waiting
      where health = 'ok' or failing <= ${failing} order by due_at limit ${limit}),
    taken as materialized (
      select app_id, grant_id, calendar_id from openslot.mirrors join due using (app_id, grant_id, calendar_id)
      where due_at <= now() for update of mirrors skip locked)
    update openslot.mirrors as mirror set due_at = now() + ${leaseSeconds} * interval '1 second' from taken
    where mirror.app_id = taken.app_id and mirror.grant_id = taken.grant_id and mirror.calendar_id = taken.calendar_id
    returning mirror.app_id as "appId", mirror.grant_id as "grantId", mirror.calendar_id as "calendarId",
      mirror.health <> 'ok' as "isFailing"`)
}

/** Undefined where the calendar is gone, or has none. */
export async function findMirror(queryable: Queryable, appId: AppId, key: CalendarKey): Promise<Mirror | undefined> {
  const [row] = await queryable.query<{
    token: string | null
    start: Instant | null
    end: Instant | null
    generation: number
    failingMs: number
    health: MirrorHealth
    sinceReadMs: number | null
    asOf: Instant
  }>(sql`
    select token, lower(covered) as start, upper(covered) as end, generation, health,
      case when health = 'failing' then (extract(epoch from clock_timestamp() - since) * 1000)::float8 else 0 end as "failingMs",
      (extract(epoch from clock_timestamp() - read_at) * 1000)::float8 as "sinceReadMs", clock_timestamp() as "asOf"
    from openslot.mirrors where ${isMirror(appId, key)}`)
  if (row === undefined) return undefined
  const { token, start, end, sinceReadMs, ...rest } = row
  return {
    ...rest,
    token: token ?? undefined,
    covered: start === null || end === null ? undefined : { start, end },
    sinceReadMs: sinceReadMs ?? undefined,
  }
}

export async function knownVersions(
  queryable: Queryable,
  appId: AppId,
  key: CalendarKey,
): Promise<ReadonlyMap<string, string>> {
  const rows = await queryable.query<{ id: string; version: string }>(sql`
    select id, version from openslot.mirror_items where ${isMirror(appId, key)} and version is not null`)
  return new Map(rows.map(({ id, version }) => [id, version]))
}

export type MirrorItem = {
  readonly id: string
  readonly version: string | undefined
  readonly busy: readonly Interval[]
  /** The event of a booking, of this server or of another one. */
  readonly own: { readonly eventId: EventId; readonly when: Interval | undefined } | undefined
}

export type MirrorAnswer = {
  readonly generation: number
  /** When the provider was asked. */
  readonly trueAt: Instant
  readonly token: string | undefined
  /** Seconds from now. */
  readonly nextInSeconds: number
  readonly read:
    | { readonly kind: 'everything'; readonly covered: Interval; readonly items: readonly MirrorItem[] }
    | { readonly kind: 'changes'; readonly changed: readonly MirrorItem[]; readonly removed: readonly string[] }
}

/** One statement carries so many items, and hardly more than so many intervals: a series may hold thousands. */
const itemsAtOnce = 500
const intervalsAtOnce = 5_000

/** `late`, and nothing is written, where something else was written meanwhile; `compared`: what stands there was compared with the bookings. */
export type Written = 'late' | 'compared' | 'new'

/** Whether there is anything to write but that the mirror is still true. */
export function hasNews({ read }: MirrorAnswer): boolean {
  return read.kind === 'everything' || read.changed.length > 0 || read.removed.length > 0
}

/** How the mirror stands with `answer`: all that there is to write of one without news. */
export async function writeStanding(
  queryable: Queryable,
  appId: AppId,
  key: CalendarKey,
  answer: MirrorAnswer,
): Promise<Written> {
  const { read } = answer
  const isWhole = read.kind === 'everything'
  const [written] = await queryable.query<{ isNew: boolean }>(sql`
    update openslot.mirrors set token = ${answer.token ?? null}, true_at = ${new Date(answer.trueAt)},
      generation = generation + ${hasNews(answer) ? 1 : 0},
      since = case when health = 'ok' then since else now() end, health = 'ok', reason = null, about = null,
      covered = coalesce(${isWhole ? toRange(read.covered) : null}::tstzrange, covered),
      read_at = coalesce(${isWhole ? new Date(answer.trueAt) : null}::timestamptz, read_at),
      due_at = now() + ${answer.nextInSeconds}::float8 * interval '1 second'
    where ${isMirror(appId, key)} and generation = ${answer.generation}
    returning generation <> reconciled as "isNew"`)
  if (written === undefined) return 'late'
  return written.isNew ? 'new' : 'compared'
}

/** Writes what the provider said; the calendar's version counts up where what is busy may have changed. */
export async function writeAnswer(transaction: Transaction, key: CalendarKey, answer: MirrorAnswer): Promise<Written> {
  const { appId } = transaction
  const { read } = answer
  const written = await writeStanding(transaction, appId, key, answer)
  if (written === 'late' || !hasNews(answer)) return written
  const isWhole = read.kind === 'everything'
  const items = isWhole ? read.items : read.changed
  const gone = isWhole ? sql`` : sql`and id = any(${[...read.removed, ...items.map(({ id }) => id)]}::text[])`
  const ids = items.map(({ id }) => id)
  // The event of a booking that is gone is remembered as gone, until the booking has followed it, or has ended.
  await transaction.query(sql`
    update openslot.mirror_items set busy = '{}', own_during = null, version = null
    where ${isMirror(appId, key)} ${gone} and booking_id is not null and not (id = any(${ids}::text[]))`)
  await transaction.query(sql`
    delete from openslot.mirror_items
    where ${isMirror(appId, key)} ${gone} and (booking_id is null or id = any(${ids}::text[]) or not exists (
      select from openslot.bookings as booking
      where booking.app_id = ${appId} and booking.id = mirror_items.booking_id and upper(booking.during) > ${new Date(answer.trueAt)}))`)
  let batch: MirrorItem[] = []
  let intervals = 0
  for (const item of items) {
    batch.push(item)
    intervals += item.busy.length
    if (batch.length < itemsAtOnce && intervals < intervalsAtOnce) continue
    await insertItems(transaction, key, batch)
    batch = []
    intervals = 0
  }
  if (batch.length > 0) await insertItems(transaction, key, batch)
  await countVersion(transaction, appId, key)
  return 'new'
}

async function insertItems(transaction: Transaction, key: CalendarKey, items: readonly MirrorItem[]): Promise<void> {
  await transaction.query(sql`
    insert into openslot.mirror_items (app_id, grant_id, calendar_id, id, version, busy, booking_id, own_during)
    select ${transaction.appId}, ${key.grantId}, ${key.calendarId}, item.id, item.version, item.busy,
      ${bookingIdOfEvent(transaction.appId, sql`item.event_id`)}, item.own_during
    from unnest(${items.map(({ id }) => id)}::text[], ${items.map(({ version }) => version ?? null)}::text[],
      ${items.map(({ busy }) => toMultirange(busy))}::tstzmultirange[], ${items.map(({ own }) => own?.eventId ?? null)}::text[],
      ${items.map(({ own }) => (own?.when === undefined ? null : toRange(own.when)))}::tstzrange[])
      as item (id, version, busy, event_id, own_during)
    on conflict do nothing`)
}

/** The event of a booking stands at `when` now, or is gone: known before the provider tells of it. */
export async function writeOwn(
  transaction: Transaction,
  key: CalendarKey,
  eventId: EventId,
  item: { readonly id: string; readonly version: string | undefined } | undefined,
  when: Interval | undefined,
): Promise<void> {
  const { appId } = transaction
  const [mirror] = await transaction.query(sql`
    update openslot.mirrors set generation = generation + 1 where ${isMirror(appId, key)} returning app_id`)
  if (mirror === undefined) return
  await transaction.query(sql`
    delete from openslot.mirror_items where ${isMirror(appId, key)} and (
      booking_id = ${bookingIdOfEvent(appId, sql`${eventId}`)} or id = ${item?.id ?? null}::text)`)
  if (item !== undefined && when !== undefined)
    await insertItems(transaction, key, [{ ...item, busy: [when], own: { eventId, when } }])
  await countVersion(transaction, appId, key)
}

export type MirroredBusy = {
  /** Undefined where nothing is known of all of the span. */
  readonly ageMs: number | undefined
  readonly health: MirrorHealth | undefined
  readonly reason: string | undefined
  readonly busy: readonly Interval[]
}

/** What the mirrors hold for `span`, merged, in the order of `keys`; items of the booking `ignoring` left out. One statement. */
export async function readMirrors(
  queryable: Queryable,
  appId: AppId,
  keys: readonly CalendarKey[],
  span: Interval,
  ignoring?: BookingId,
): Promise<MirroredBusy[]> {
  const asked = toRange(span)
  const rows = await queryable.query<{
    place: number
    ageMs: number | null
    health: MirrorHealth | null
    reason: string | null
    start: Instant | null
    end: Instant | null
  }>(sql`
    select key.place, mirror.health, mirror.reason,
      case when mirror.covered @> ${asked}::tstzrange
        then (extract(epoch from clock_timestamp() - mirror.true_at) * 1000)::float8 end as "ageMs",
      lower(found.busy) as start, upper(found.busy) as end
    from unnest(${keys.map(({ grantId }) => grantId)}::uuid[], ${keys.map(({ calendarId }) => calendarId)}::text[])
      with ordinality as key (grant_id, calendar_id, place)
    left join openslot.mirrors as mirror
      on mirror.app_id = ${appId} and mirror.grant_id = key.grant_id and mirror.calendar_id = key.calendar_id
    left join lateral (
      select unnest(range_agg(item.busy * tstzmultirange(${asked}::tstzrange))) as busy from openslot.mirror_items as item
      where item.app_id = ${appId} and item.grant_id = key.grant_id and item.calendar_id = key.calendar_id
        and item.busy && ${asked}::tstzrange
        and (item.booking_id is null or item.booking_id is distinct from ${ignoring ?? null}::uuid)) as found on true`)
  const read: (MirroredBusy & { busy: Interval[] })[] = keys.map(() => ({
    ageMs: undefined,
    health: undefined,
    reason: undefined,
    busy: [],
  }))
  for (const { place, ageMs, health, reason, start, end } of rows) {
    const before = read[place - 1]
    if (before === undefined) continue
    if (start !== null && end !== null) before.busy.push({ start, end })
    Object.assign(before, { ageMs: ageMs ?? undefined, health: health ?? undefined, reason: reason ?? undefined })
  }
  return read
}

/** What is to be compared with the bookings: the generation that stands there now; undefined where it was already. */
export async function findReconciled(
  queryable: Queryable,
  appId: AppId,
  key: CalendarKey,
): Promise<number | undefined> {
  const [row] = await queryable.query<{ generation: number }>(sql`
    select generation from openslot.mirrors where ${isMirror(appId, key)} and generation <> reconciled and true_at is not null`)
  return row?.generation
}

export async function markReconciled(
  queryable: Queryable,
  appId: AppId,
  key: CalendarKey,
  generation: number,
): Promise<void> {
  await queryable.query(sql`update openslot.mirrors set reconciled = ${generation} where ${isMirror(appId, key)}`)
}

/** The booking has followed its event. */
export async function forgetOwnItem(
  queryable: Queryable,
  appId: AppId,
  key: CalendarKey,
  bookingId: BookingId,
): Promise<void> {
  await queryable.query(sql`
    delete from openslot.mirror_items where ${isMirror(appId, key)} and booking_id = ${bookingId} and own_during is null`)
}

export function isMirror(appId: AppId, { grantId, calendarId }: CalendarKey): Sql {
  return sql`app_id = ${appId} and grant_id = ${grantId} and calendar_id = ${calendarId}`
}

async function countVersion(queryable: Queryable, appId: AppId, { grantId, calendarId }: CalendarKey): Promise<void> {
  await queryable.query(sql`
    update openslot.calendars set version = version + 1
    where app_id = ${appId} and grant_id = ${grantId} and id = ${calendarId}`)
}

function toMultirange(intervals: readonly Interval[]): string {
  return `{${intervals
    .filter(({ start, end }) => start < end)
    .map(toRange)
    .join(',')}}`
}
