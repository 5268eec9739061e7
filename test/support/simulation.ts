/** What must be so when everybody has gone home: booking, claims, events, and what each person heard, against what was answered. */

import type { TestHost } from './hosts.ts'
import { findFaults, readLedger } from './ledger.ts'
import type { TestServer } from './server.ts'
import type { TestSmtp } from './smtp.ts'

export type World = {
  readonly hosts: readonly TestHost[]
  readonly configurations: readonly {
    readonly id: string
    /** Places in `hosts`, the organizer first. */
    readonly of: readonly number[]
    readonly method: string | undefined
    readonly type: string
    readonly bufferMinutes: number
    readonly noticeMinutes: number
  }[]
  readonly start: number
}

/** What was asked, and the answer that it got in the end. */
export type Done = {
  readonly kind: 'create' | 'move' | 'confirm' | 'cancel'
  readonly id?: string
  readonly guest?: string
  /** Unix seconds: the start that was asked for. */
  readonly to?: number
  /** Who was to be brought in. */
  readonly friend?: string
  /** Done to the event of the booking, which remembers no key: a repeat after a broken connection may find it done. */
  readonly isByHand?: boolean
  /** By the link of who organized it when that was read: another may since. */
  readonly isOfOrganizer?: boolean
  readonly status: number
  readonly error: { readonly type: string; readonly message: string } | undefined
  readonly data: { readonly booking_id: string; readonly status: string } | undefined
}

type Row = {
  id: string
  configuration: string
  state: string
  start: number
  organizer: string
  guest: string
  friends: string[]
  hosts: string[]
  assignment: { chosen?: string; reason?: string; queue?: string[]; free?: string[] }
}
type Told = {
  id: string
  trigger: string
  booking: string
  number: number
  info: { start_time: number; old_start_time?: number; participants: { email: string }[] }
}
type MailRow = {
  id: string
  event: string
  booking: string
  recipient: string
  state: string
  error: string | null
  body: { kind: string; role: string; when: { start: number }; before?: { start: number } }
}
type Audit = { booking: string; action: string; version: number }

/** Everything that is wrong: empty when all is well. */
export async function judge(
  server: TestServer,
  world: World,
  done: readonly Done[],
  smtp: TestSmtp,
): Promise<string[]> {
  const ids = world.configurations.map(({ id }) => id)
  const ask = async <T extends object>(text: string, values: unknown[] = [ids]) =>
    (await server.app.database.pool.query<T>(text, values)).rows
  const bookings = await ask<Row>(
    `select id, configuration_id as configuration, state, extract(epoch from lower(during))::float8 as start,
      organizer_email as organizer, guest_email as guest, body #> '{service,assignment}' as assignment,
      array(select host ->> 'email' from jsonb_array_elements(body #> '{service,hosts}') as host) as hosts,
      array(select one ->> 'email' from jsonb_array_elements(body #> '{details,additionalGuests}') as one) as friends
    from openslot.bookings where configuration_id = any($1::uuid[]) order by id`,
  )
  const own = [bookings.map(({ id }) => id)]
  const told = await ask<Told>(
    `select id, trigger, object_id as booking, number::int as number, body -> 'booking_info' as info from openslot.webhook_events
    where object_id = any($1::text[]) order by object_id, number`,
    own,
  )
  const mails = await ask<MailRow>(
    `select id, event_id as event, booking_id as booking, lower(recipient) as recipient, state, last_error as error, body
    from openslot.deliveries where kind = 'mail' and booking_id = any($1::uuid[]) order by id`,
    own,
  )
  const audits = await ask<Audit>(
    `select target as booking, action, (detail ->> 'version')::int as version from openslot.audit_log
    where target = any($1::text[]) and action like 'booking.%' order by id`,
    own,
  )
  const faults = findFaults(await readLedger(server.app))
  for (const booking of bookings) {
    const of = <T extends { booking: string }>(rows: readonly T[]) => rows.filter((row) => row.booking === booking.id)
    const story = of(told)
    faults.push(
      ...judgeStory(booking, world, story, done),
      ...judgeAudit(story, of(audits)),
      ...judgeTurn(booking),
      ...judgeMails(booking, story, of(mails)),
    )
  }
  faults.push(
    ...judgeAnswers(bookings, world, done),
    ...judgeBuffers(bookings, world, done),
    ...judgeOrder(mails, smtp),
  )
  faults.push(...(await judgeOffers(server, bookings, world)))
  return faults
}

const stands = ({ state }: Pick<Row, 'state'>) => state === 'booked' || state === 'pending'

/** From its making to its end without a gap, and everything in it was asked for and answered with yes. */
function judgeStory(booking: Row, world: World, story: readonly Told[], done: readonly Done[]): string[] {
  const said = `${booking.id}: ${story.map(({ trigger, info }) => `${trigger} ${info.start_time}`).join(', ')}`
  const faults: string[] = []
  const type = world.configurations.find(({ id }) => id === booking.configuration)?.type
  const [first] = story
  if (first?.trigger !== (type === 'booking' ? 'booking.created' : 'booking.pending')) faults.push(`${said} begins so`)
  let state = type === 'booking' ? 'booked' : 'pending'
  let at = first?.info.start_time
  const starts = [at]
  for (const [place, { trigger, info, number }] of story.entries()) {
    if (number !== place + 1) faults.push(`${said}: number ${number} at ${place}`)
    if (place === 0) continue
    if (state === 'cancelled') faults.push(`${said}: goes on after its end`)
    if (trigger === 'booking.rescheduled') {
      if (info.old_start_time !== at) faults.push(`${said}: moved from ${info.old_start_time}, not ${at}`)
      at = info.start_time
      starts.push(at)
    } else if (info.start_time !== at) faults.push(`${said}: ${trigger} at ${info.start_time}, not ${at}`)
    if (trigger === 'booking.created') {
      if (state !== 'pending') faults.push(`${said}: confirmed while ${state}`)
      state = 'booked'
    }
    if (trigger === 'booking.cancelled') state = 'cancelled'
  }
  if (booking.state !== state || booking.start !== at)
    faults.push(`${said}: is ${booking.state} at ${booking.start}, told ${state} at ${at}`)
  const own = done.filter(({ id }) => id === booking.id)
  const yes = (kind: Done['kind']) => own.filter((one) => one.kind === kind && one.status === 200)
  const perhaps = (kind: Done['kind']) => own.filter((one) => one.kind === kind && one.isByHand && one.status !== 200)
  const moved = story.filter(({ trigger }) => trigger === 'booking.rescheduled').map(({ info }) => info.start_time)
  const asked = yes('move').map(({ to }) => to)
  const mayBe = [...asked, ...own.filter(({ kind, isByHand }) => kind === 'move' && isByHand).map(({ to }) => to)]
  for (const to of new Set(moved))
    if (moved.filter((one) => one === to).length > mayBe.filter((one) => one === to).length)
      faults.push(`${said}: moved to ${to} more often than answered`)
  for (const to of asked) if (!starts.includes(to)) faults.push(`${said}: never was at ${to}, as was answered`)
  const told = new Set(story.flatMap(({ info }) => info.participants.map(({ email }) => email)))
  for (const { friend } of yes('move'))
    if (friend !== undefined && !told.has(friend)) faults.push(`${said}: ${friend} is not in it, as was answered`)
  const isOff = state === 'cancelled'
  if (isOff ? [...yes('cancel'), ...perhaps('cancel')].length === 0 : yes('cancel').length > 0)
    faults.push(`${said}: ${yes('cancel').length} cancelled it`)
  if (type !== 'booking') {
    const confirmed = story.filter(({ trigger }) => trigger === 'booking.created').length
    if (confirmed !== Math.min(1, yes('confirm').length)) faults.push(`${said}: ${yes('confirm').length} confirmed it`)
  }
  return faults
}

const actions: Readonly<Record<string, string>> = {
  'booking.rescheduled': 'booking.reschedule',
  'booking.cancelled': 'booking.cancel',
  'booking.pending': 'booking.create',
}

function judgeAudit(story: readonly Told[], audits: readonly Audit[]): string[] {
  const wanted = story.map(
    ({ trigger }, place) => actions[trigger] ?? (place === 0 ? 'booking.create' : 'booking.confirm'),
  )
  const found = audits.map(({ action }) => action)
  const isRising = audits.every(({ version }, place) => place === 0 || version > (audits[place - 1]?.version ?? 0))
  return found.join() === wanted.join() && isRising ? [] : [`${story[0]?.booking}: audit ${found} instead of ${wanted}`]
}

/** First of the queue who was free; under fairness, of its upper half where anyone of it was. */
function judgeTurn({ id, organizer, assignment }: Row): string[] {
  const { chosen, reason, queue, free } = assignment
  if (queue === undefined || free === undefined || chosen === undefined) return []
  const faults = organizer === chosen && free.includes(chosen) ? [] : [`${id}: ${chosen} chosen of ${free}`]
  if (reason === 'next' && queue.find((one) => free.includes(one)) !== chosen)
    faults.push(`${id}: ${chosen} was not next in ${queue} of ${free}`)
  return faults
}

/** Everyone who is concerned has one mail about each change, and what they read one after the other makes sense. */
function judgeMails(booking: Row, story: readonly Told[], mails: readonly MailRow[]): string[] {
  const faults: string[] = []
  let before: readonly string[] = []
  let isPending = false
  for (const { id, trigger, info } of story) {
    const all = info.participants.map(({ email }) => email.toLowerCase())
    if (trigger === 'booking.pending') isPending = true
    const isConfirmation = trigger === 'booking.created'
    if (isConfirmation) isPending = false
    const guest = booking.guest
    const wrote = mails.filter((mail) => mail.event === id)
    const recipients = wrote.map(({ recipient }) => recipient)
    if (new Set(recipients).size !== recipients.length)
      faults.push(`${booking.id}: ${trigger} told twice to ${recipients}`)
    const wanted = isPending ? [guest] : [...new Set([...all, ...(trigger === 'booking.rescheduled' ? before : [])])]
    for (const one of wanted) if (!recipients.includes(one)) faults.push(`${booking.id}: ${trigger} not told to ${one}`)
    if (!isPending && recipients.length !== wanted.length)
      faults.push(`${booking.id}: ${trigger} told to ${recipients} instead of ${wanted}`)
    for (const { body } of wrote) {
      const isDropped = body.kind === 'cancelled' && trigger === 'booking.rescheduled'
      const at = isDropped ? info.old_start_time : info.start_time
      if (body.when.start / 1_000 !== at) faults.push(`${booking.id}: ${trigger} says ${body.when.start / 1_000}`)
    }
    before = all
  }
  for (const [recipient, heard] of Map.groupBy(mails, (mail) => mail.recipient)) {
    const said = `${booking.id} to ${recipient}: ${heard.map(({ body, state, error }) => `${body.kind} ${state} ${error ?? ''}`)}`
    let at: number | undefined
    for (const [place, { body, state }] of heard.entries()) {
      if (state !== 'done') {
        if (!heard.slice(place + 1).some((later) => later.state === 'done')) faults.push(`${said}: nobody was told`)
        continue
      }
      const { kind, when } = body
      // A request whose people change is sent anew.
      const isAnew = kind === 'requestReceived' || (kind === 'confirmed' && body.role === 'additionalGuest')
      if (isAnew && at !== undefined && at !== when.start) faults.push(`${said}: ${kind} anew`)
      if ((kind === 'rescheduled' || kind === 'requestMoved') && body.before?.start !== at)
        faults.push(`${said}: moved from ${body.before?.start}, known ${at}`)
      if (kind === 'changed' && when.start !== at) faults.push(`${said}: changed at ${when.start}, known ${at}`)
      at = kind === 'cancelled' || kind === 'declined' ? undefined : when.start
    }
    const people = [
      booking.guest,
      ...booking.friends,
      ...(booking.state === 'pending' ? [booking.organizer] : booking.hosts),
    ]
    const takesPart = stands(booking) && people.map((one) => one.toLowerCase()).includes(recipient)
    const isFriendOfPending = booking.state === 'pending' && booking.friends.includes(recipient)
    if (takesPart && !isFriendOfPending && at !== booking.start * 1_000)
      faults.push(`${said}: believes ${at}, is ${booking.start}`)
    if (!stands(booking) && at !== undefined) faults.push(`${said}: was never told of the end`)
  }
  return faults
}

/** What was booked is there once; what was refused is not; and a refusal names a reason that may be. */
function judgeAnswers(bookings: readonly Row[], world: World, done: readonly Done[]): string[] {
  const faults: string[] = []
  for (const { kind, guest, status, error, data, isByHand, isOfOrganizer } of done) {
    const isRefusal =
      error?.type === 'timeslot_not_available' ||
      error?.type === 'invalid_request_error' ||
      ((isByHand || isOfOrganizer) && error?.type === 'not_found_error')
    if (status !== 200 && !isRefusal) faults.push(`${kind} answered ${status} ${JSON.stringify(error)}`)
    if (kind !== 'create') continue
    const made = bookings.filter((booking) => booking.guest === guest)
    const isThere = made.length === 1 && made[0]?.id === data?.booking_id
    if (status === 200 ? !isThere : made.length > 0) faults.push(`${guest} answered ${status}, has ${made.length}`)
  }
  for (const { configuration, start, id } of bookings) {
    const { noticeMinutes = 0 } = world.configurations.find((one) => one.id === configuration) ?? {}
    if (noticeMinutes > 0 && !isMovedByHand(id, done) && start < world.start + 7_200)
      faults.push(`${id} begins within the notice`)
  }
  return faults
}

/** The owner of a calendar decides on its time: nothing stands against that but other bookings. */
function isMovedByHand(id: string, done: readonly Done[]): boolean {
  return done.some((one) => one.id === id && one.kind === 'move' && one.isByHand)
}

function judgeBuffers(bookings: readonly Row[], { configurations }: World, done: readonly Done[]): string[] {
  return configurations.flatMap(({ id, bufferMinutes }) => {
    const starts = bookings
      .filter((one) => one.configuration === id && stands(one) && !isMovedByHand(one.id, done))
      .map(({ start }) => start)
    const sorted = starts.toSorted((a, b) => a - b)
    const isClose = sorted.some((at, place) => place > 0 && at - (sorted[place - 1] ?? 0) < 1_800 + bufferMinutes * 60)
    return bufferMinutes > 0 && isClose ? [`${sorted} are too close for ${bufferMinutes} minutes`] : []
  })
}

/** In the order in which they were written, for each person and booking; one that came twice is one. */
function judgeOrder(mails: readonly MailRow[], { received }: TestSmtp): string[] {
  const byId = new Map(mails.map((mail) => [mail.id, mail]))
  const seen = new Map<string, Set<string>>()
  for (const { messageId } of received) {
    const mail = byId.get(/[0-9a-f-]{36}/.exec(messageId ?? '')?.[0] ?? '')
    if (mail === undefined) continue
    const story = `${mail.booking} ${mail.recipient}`
    seen.set(story, (seen.get(story) ?? new Set()).add(mail.id))
  }
  const faults = [...seen].flatMap(([story, ids]) =>
    [...ids].join() === [...ids].toSorted().join() ? [] : [`${story} read out of order`],
  )
  for (const { id, state, booking, recipient } of mails)
    if (state === 'done' && seen.get(`${booking} ${recipient}`)?.has(id) !== true)
      faults.push(`${id} was never received`)
  return faults
}

/** Offered is what nobody has, and nothing else; a fair half of hosts offers less, which is another's to judge. */
async function judgeOffers(server: TestServer, bookings: readonly Row[], world: World): Promise<string[]> {
  const faults: string[] = []
  const slots = Array.from({ length: 12 }, (_, index) => world.start + index * 1_800)
  for (const { id, of, method, bufferMinutes, noticeMinutes } of world.configurations) {
    if (method === 'max-fairness') continue
    const query = `configuration_id=${id}&start_time=${world.start}&end_time=${world.start + 12 * 1_800}`
    const { body } = await server.request('GET', `/v3/scheduling/availability?${query}`, { token: null })
    const offered = body.data.time_slots.map(({ start_time }: { start_time: number }) => start_time)
    const isFree = (host: number, at: number) =>
      bookings
        .filter((one) => stands(one) && one.hosts.includes(world.hosts[host]?.email ?? ''))
        .every(({ start }) => at >= start + 1_800 + bufferMinutes * 60 || at + 1_800 <= start - bufferMinutes * 60)
    const wanted = slots.filter((at) => {
      const isOpen = noticeMinutes === 0 || at > world.start + 7_200
      const free = of.filter((host) => isFree(host, at))
      return isOpen && (method?.startsWith('max') ? free.length > 0 : free.length === of.length)
    })
    if (offered.join() !== wanted.join()) faults.push(`${id} offers ${offered} instead of ${wanted}`)
  }
  return faults
}
