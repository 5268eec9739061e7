/** A TCP proxy that stands between us and a server and does what networks do: waits, cuts, resets, drips. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/**
 * `delay`: the answer comes late. `cutRequest`: the request is swallowed and the line cut. `cutAfterRequest`: the server gets
 * it whole and does it, and its answer is lost. `cutAnswer`: half of the answer comes. `reset`: the line is reset at once.
 * `drip`: the answer comes byte by byte.
 */
export type NetworkFault =
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'cutRequest' | 'cutAnswer' | 'reset' }
  /** `whenDone` happens when the server has done it. */
  | { readonly kind: 'cutAfterRequest'; readonly whenDone?: () => void }
  | { readonly kind: 'drip'; readonly everyMs: number }

export type FaultProxy = {
  readonly port: number
  /** As `url`, by way of this proxy. */
  through(url: string): string
  /** The next request whose first line `which` accepts meets the fault; after that all is well again. */
  once(which: RegExp, fault: NetworkFault): void
  /** Every request meets what this answers, until it is called with nothing. */
  always(choose?: (firstLine: string) => NetworkFault | undefined): void
  /** First lines of the requests that came. */
  readonly seen: string[]
  /** The most requests that waited for an answer at the same time, since this was asked last. */
  takeMostAtOnce(): number
  stop(): Promise<void>
}

export async function startFaultProxy(target: { readonly port: number; readonly host?: string }): Promise<FaultProxy> {
  const planned: { which: RegExp; fault: NetworkFault }[] = []
  const seen: string[] = []
  const sockets = new Set<Socket>()
  /** Their last request has no answer yet. */
  const asking = new Set<Socket>()
  let mostAtOnce = 0
  let choose: ((firstLine: string) => NetworkFault | undefined) | undefined

  const faultOf = (firstLine: string): NetworkFault | undefined => {
    const index = planned.findIndex(({ which }) => which.test(firstLine))
    return index >= 0 ? planned.splice(index, 1)[0]?.fault : choose?.(firstLine)
  }

  const server = createServer((client) => {
    const upstream = connect(target.port, target.host ?? '127.0.0.1')
    let fault: NetworkFault | undefined
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      // Cutting is what this is for; whoever was cut off says so.
      socket.on('error', () => {})
    }
    const endBoth = () => {
      client.destroy()
      upstream.destroy()
    }
    client.on('close', () => {
      asking.delete(client)
      upstream.destroy()
    })
    const answer = (chunk: Buffer) => {
      asking.delete(client)
      client.write(chunk)
    }
    // Behind what comes late.
    upstream.on('close', () => (fault?.kind === 'delay' ? setTimeout(() => client.end(), fault.ms) : client.end()))
    client.on('data', (chunk: Buffer) => {
      const firstLine = /^[A-Z]+ \S+ HTTP\/1\.[01]/.exec(chunk.toString('latin1', 0, 2_048))?.[0]
      if (firstLine !== undefined) {
        seen.push(firstLine)
        asking.add(client)
        mostAtOnce = Math.max(mostAtOnce, asking.size)
        fault = faultOf(firstLine)
      }
      if (fault?.kind === 'reset') {
        client.resetAndDestroy()
        upstream.destroy()
      } else if (fault?.kind === 'cutRequest') endBoth()
      else upstream.write(chunk)
    })
    upstream.on('data', (chunk: Buffer) => {
      switch (fault?.kind) {
        case undefined:
          answer(chunk)
          break
        case 'delay':
          setTimeout(answer, fault.ms, chunk)
          break
        case 'cutAfterRequest':
          fault.whenDone?.()
          endBoth()
          break
        case 'cutAnswer':
          client.write(chunk.subarray(0, Math.floor(chunk.length / 2)), endBoth)
          break
        case 'drip':
          drip(client, chunk, fault.everyMs)
          break
        default:
          endBoth()
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    seen,
    takeMostAtOnce: () => {
      const most = mostAtOnce
      mostAtOnce = asking.size
      return most
    },
    through: (url) => {
      const changed = new URL(url)
      changed.port = String(port)
      return changed.href
    },
    once: (which, fault) => void planned.push({ which, fault }),
    always: (chosen) => {
      choose = chosen
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function drip(client: Socket, chunk: Buffer, everyMs: number): void {
  let at = 0
  const timer = setInterval(() => {
    if (at >= chunk.length || client.destroyed) clearInterval(timer)
    else client.write(chunk.subarray(at, ++at))
  }, everyMs)
}
