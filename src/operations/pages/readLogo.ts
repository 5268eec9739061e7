// The logo on a page: fetched by this server, so that guests' browsers ask nobody else, and kept for a while.
import type { Principal } from '../../core/account/principal.ts'
import { notFound } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { hourMs, type Instant, minuteMs } from '../../core/time/instant.ts'
import { findKnownConfiguration, nameConfiguration } from '../configurations/loadConfiguration.ts'
import type { Tools } from '../tools.ts'

export type Logo = { readonly type: string; readonly bytes: Uint8Array }

const byteLimit = 256 * 1024
/** Some eight megabytes at the most. */
const keptLimit = 32
const keptMs = hourMs
/** So often is an address asked that has no picture: strangers cannot make us call it at will. */
const refusedMs = 5 * minuteMs

type Kept = { readonly until: Instant; readonly logo: Promise<Logo | undefined> }
const kept = new Map<string, Kept>()

const anyone: Principal = { kind: 'anyone' }

/** Problems: `notFound`, also where there is an address and no picture behind it. */
export async function readLogo(
  tools: Pick<Tools, 'database' | 'safeFetch' | 'now'>,
  configurationId: string,
): Promise<Result<Logo>> {
  const named = await nameConfiguration(tools, anyone, { configuration_id: configurationId })
  if (!named.ok) return named
  const known = await findKnownConfiguration(tools, named.value.appId, named.value.id, 'evenDeleted')
  if (!known.ok) return known
  const url = known.value.document.appearance?.company_logo_url
  if (!url) return failure(notFound)
  const now = tools.now()
  let entry = kept.get(url)
  if (entry === undefined || entry.until <= now) {
    entry = { until: (now + keptMs) as Instant, logo: fetchPicture(tools, url) }
    if (kept.size >= keptLimit) kept.delete(kept.keys().next().value ?? '')
    kept.set(url, entry)
  }
  const logo = await entry.logo
  if (logo !== undefined) return success(logo)
  if (entry.until > now + refusedMs) kept.set(url, { ...entry, until: (now + refusedMs) as Instant })
  return failure(notFound)
}

/** Undefined for anything but a picture of a kind that cannot run. */
async function fetchPicture({ safeFetch }: Pick<Tools, 'safeFetch'>, url: string): Promise<Logo | undefined> {
  const answer = await safeFetch.fetch(url, { method: 'GET', bodyLimitBytes: byteLimit, redirects: 3 })
  if (typeof answer === 'string' || answer.status !== 200) return undefined
  const type = kindOf(answer.body)
  return type === undefined ? undefined : { type, bytes: answer.body }
}

/** By its first bytes: what the other server says of it counts for nothing. */
function kindOf(bytes: Uint8Array): string | undefined {
  const head = String.fromCharCode(...bytes.subarray(0, 12))
  if (head.startsWith('\u0089PNG\r\n\u001a\n')) return 'image/png'
  if (head.startsWith('\u00ff\u00d8\u00ff')) return 'image/jpeg'
  if (/^GIF8[79]a/.test(head)) return 'image/gif'
  return head.startsWith('RIFF') && head.endsWith('WEBP') ? 'image/webp' : undefined
}
