// Which addresses an outbound call may reach.
import ipaddr from 'ipaddr.js'

/** Answers why an address may be called, or false. `private`: only because the operator's list names it. */
export type AddressCheck = (address: string) => 'public' | 'private' | false

/** Never called, whatever the list says: they name no single other machine. */
const neverCalled = new Set(['unspecified', 'multicast', 'broadcast'])
/** All that is given out of IPv6 so far (RFC 4291 §2.4); the special blocks in it have names of their own. */
const [globalUnicast, globalBits] = ipaddr.IPv6.parseCIDR('2000::/3')
/** IPv4 in the old way, which `[::127.0.0.1]` is (RFC 4291 §2.5.5.1): nobody's, but for `::1`. */
const [compatible, compatibleBits] = ipaddr.IPv6.parseCIDR('::/96')

/**
 * Public is unicast after an IPv4-mapped address is unwrapped, of IPv6 in 2000::/3 alone: loopback, private, link-local, carrier and documentation
 * ranges, 6to4 and NAT64 are not. `allowed` are addresses or CIDR blocks; loopback needs an entry of its own, which a
 * wide block that happens to hold it is not. Throws for an entry that is neither.
 */
export function addressCheck(allowed: readonly string[]): AddressCheck {
  const networks = allowed.map(readNetwork)
  return (address) => {
    const plain = address.replace(/%.*/s, '')
    // The package would take the old way of writing IPv4 for the new one, `::ffff:127.0.0.1`.
    if (!ipaddr.isValid(plain) || /^::\d+\./.test(plain)) return false
    const parsed = ipaddr.process(plain)
    const range = parsed.range()
    if (range === 'unicast' && (parsed instanceof ipaddr.IPv4 || parsed.match(globalUnicast, globalBits)))
      return 'public'
    if (neverCalled.has(range)) return false
    if (range === 'unicast' && parsed instanceof ipaddr.IPv6 && parsed.match(compatible, compatibleBits)) return false
    const isListed = networks.some(
      ({ network, bits }) =>
        network.kind() === parsed.kind() &&
        parsed.match(network, bits) &&
        (range !== 'loopback' || network.range() === 'loopback'),
    )
    return isListed ? 'private' : false
  }
}

function readNetwork(entry: string): { network: ipaddr.IPv4 | ipaddr.IPv6; bits: number } {
  if (entry.includes('/')) {
    const [network, bits] = ipaddr.parseCIDR(entry)
    return { network, bits }
  }
  const network = ipaddr.process(entry)
  return { network, bits: network.kind() === 'ipv4' ? 32 : 128 }
}

/** Services that speak other protocols and take harm from a stray request. */
const closedPorts = new Set([
  1_433, 1_521, 2_049, 2_181, 2_375, 2_376, 2_379, 2_380, 3_128, 3_306, 3_389, 4_444, 5_432, 5_672, 5_900, 5_984, 6_000,
  6_379, 6_443, 6_667, 7_001, 8_086, 8_500, 9_042, 9_092, 9_200, 9_300, 10_250, 11_211, 15_672, 25_565, 27_017, 27_018,
])

/** `port` as a URL has it: empty is the scheme's own. */
export function isOpenPort(port: string): boolean {
  if (port === '') return true
  const number = Number(port)
  return number === 80 || number === 443 || (number > 1_023 && number <= 65_535 && !closedPorts.has(number))
}
