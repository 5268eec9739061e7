/** Requests as a hostile client sends them: nothing is normalised, escaped or corrected on the way. */
import { Agent, request } from 'node:http'
import { connect } from 'node:net'

export type RawReply = {
  readonly status: number
  readonly text: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

export type RawRequest = {
  readonly method: string
  /** Goes on the wire as it stands. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Uint8Array
}

const agent = new Agent({ keepAlive: true, maxSockets: 16 })

/** Rejects when no whole answer has come within `limitMs`. */
export function rawRequest(
  url: string,
  { method, path, headers = {}, body }: RawRequest,
  limitMs = 10_000,
): Promise<RawReply> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const sent = request(
      { agent, hostname, port, method, path, headers: { ...length, ...(headers as object) } },
      (answer) => {
        const parts: Buffer[] = []
        answer.on('data', (part: Buffer) => parts.push(part))
        answer.on('end', () => {
          clearTimeout(timer)
          resolve({
            status: answer.statusCode ?? 0,
            text: Buffer.concat(parts).toString('utf8'),
            headers: answer.headers,
          })
        })
        answer.on('error', reject)
      },
    )
    const timer = setTimeout(
      () => sent.destroy(new Error(`no answer within ${limitMs} ms to ${method} ${path.slice(0, 200)}`)),
      limitMs,
    )
    sent.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    sent.end(body)
  })
}

/**
 * Writes `pieces` one after the other, waiting `gapMs` between them, and answers all that came back until the server closed.
 * Rejects when it has not closed within `limitMs`.
 */
export function dripBytes(url: string, pieces: Iterable<string>, gapMs: number, limitMs: number): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    let text = ''
    const rest = pieces[Symbol.iterator]()
    const drip = setInterval(() => {
      const next = rest.next()
      if (!next.done && socket.writable) socket.write(next.value)
    }, gapMs)
    const timer = setTimeout(
      () => end(() => reject(new Error(`the server kept a slow client for ${limitMs} ms`))),
      limitMs,
    )
    const end = (then: () => void) => {
      clearInterval(drip)
      clearTimeout(timer)
      socket.destroy()
      then()
    }
    socket.setEncoding('utf8')
    socket.on('data', (part: string) => {
      text += part
    })
    socket.on('error', () => {})
    socket.on('close', () => end(() => resolve(text)))
  })
}
