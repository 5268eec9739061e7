// Whose request it is: the address of the socket, or what the proxies in front say of it.
import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6

/**
 * The address that `text` names, IPv4 also where it is mapped into IPv6; undefined where it names none. Some proxies add the
 * port, brackets or a zone, which are left out.
 */
export function readAddress(text: string | undefined): Address | undefined {
  const [, bracketed, withPort, plain = ''] =
    /^\s*(?:\[([^\]]+)\](?::\d{1,5})?|([\d.]+):\d{1,5}|(\S+))\s*$/.exec(text ?? '') ?? []
  const address = (bracketed ?? withPort ?? plain).replace(/%.*/s, '')
  if (!address.includes(':'))
    return ipaddr.IPv4.isValidFourPartDecimal(address) ? ipaddr.IPv4.parse(address) : undefined
  return ipaddr.IPv6.isValid(address) ? ipaddr.process(address) : undefined
}

/** Is an address that a request came through one of `proxies`, which are addresses and CIDR blocks? */
export function trustOf(proxies: readonly string[]): (address: string | undefined) => boolean {
  const networks = proxies.map(readNetwork)
  return (text) => {
    const address = readAddress(text)
    return (
      address !== undefined &&
      networks.some(({ network, bits }) => network.kind() === address.kind() && address.match(network, bits))
    )
  }
}

/** A block of mapped addresses is one of IPv4. Throws for what is neither an address nor a block: the settings are checked. */
function readNetwork(entry: string): { readonly network: Address; readonly bits: number } {
  const [address = '', prefix] = entry.split('/')
  const parsed = ipaddr.parse(address)
  const bits = prefix === undefined ? parsed.toByteArray().length * 8 : Number(prefix)
  return parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress() && bits >= 96
    ? { network: parsed.toIPv4Address(), bits: bits - 96 }
    : { network: parsed, bits }
}

/** `ip` is what the proxies say; where that is no address, the one that our own socket has, whoever is behind it. */
export function clientAddress(request: {
  readonly ip: string
  readonly socket: { readonly remoteAddress?: string | undefined }
}): string {
  const address = readAddress(request.ip) ?? readAddress(request.socket.remoteAddress)
  return address?.toString() ?? 'unknown'
}
