// Where a domain says that a service of it is (RFC 2782, RFC 6764 §3): asked of the DNS, and trusted as little as anything else.
import { Resolver } from 'node:dns/promises'

/** Host and port of the best record, and the path that a TXT record names; undefined without one. */
export type FindService = (
  name: string,
) => Promise<{ readonly host: string; readonly port: number; readonly path: string | undefined } | undefined>

const limitMs = 2_000

export const findService: FindService = async (name) => {
  const resolver = new Resolver({ timeout: limitMs, tries: 1 })
  try {
    const records = await resolver.resolveSrv(name)
    const [best] = records.toSorted((a, b) => a.priority - b.priority || b.weight - a.weight)
    // A single dot says that there is no such service.
    if (best === undefined || best.name === '' || best.name === '.') return undefined
    const texts = await resolver.resolveTxt(name).catch(() => [])
    const path = texts.map((parts) => /^path=(\/.*)$/.exec(parts.join(''))?.[1]).find((found) => found !== undefined)
    return { host: best.name, port: best.port, path }
  } catch {
    // No record, no answer, no DNS: the address that was typed is all there is.
    return undefined
  }
}
