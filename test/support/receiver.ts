/** A receiver of webhooks on loopback: answers challenges, keeps what it gets, and behaves as badly as it is told. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

export type Received = {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** The bytes as they came. */
  readonly raw: Buffer
  // biome-ignore lint/suspicious/noExplicitAny: tests look into what they expect.
  readonly json: any
  readonly atMs: number
}

export type Receiver = {
  readonly url: string
  readonly received: Received[]
  readonly challenges: string[]
  /** What it does with a webhook; a status, or by hand. 200 where absent. */
  answer: number | ((received: Received, response: ServerResponse) => void | Promise<void>) | undefined
  /** What it does with a challenge; repeats the word where absent. */
  answerChallenge: ((word: string, response: ServerResponse) => void) | undefined
  /** Ends when `count` webhooks that pass are here; throws after `limitMs`. */
  waitFor(count: number, passes?: (received: Received) => boolean, limitMs?: number): Promise<Received[]>
  close(): Promise<void>
}

export async function startReceiver(port = 0): Promise<Receiver> {
  const waiting = new Set<() => void>()
  const receiver: Omit<Receiver, 'url'> & { url: string } = {
    url: '',
    received: [],
    challenges: [],
    answer: undefined,
    answerChallenge: undefined,
    waitFor: (count, passes = () => true, limitMs = 20_000) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = receiver.received.filter(passes)
          if (found.length < count) return
          clearTimeout(timer)
          waiting.delete(look)
          resolve(found)
        }
        const timer = setTimeout(() => {
          waiting.delete(look)
          const got = receiver.received.map(({ json }) => json?.type).join(', ')
          reject(new Error(`waited for ${count} webhooks, got ${receiver.received.filter(passes).length} of: ${got}`))
        }, limitMs)
        waiting.add(look)
        look()
      }),
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
  const server = createServer((request, response) => void take(request, response))
  async function take(request: IncomingMessage, response: ServerResponse) {
    const url = new URL(request.url ?? '/', 'http://receiver')
    const word = url.searchParams.get('challenge')
    if (request.method === 'GET' && word !== null) {
      receiver.challenges.push(request.url ?? '')
      if (receiver.answerChallenge === undefined) response.end(word)
      else receiver.answerChallenge(word, response)
      return
    }
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const raw = Buffer.concat(chunks)
    const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw
    const received: Received = {
      path: request.url ?? '',
      headers: request.headers as Record<string, string>,
      raw,
      json: text.length === 0 ? undefined : JSON.parse(text.toString()),
      atMs: Date.now(),
    }
    receiver.received.push(received)
    const answer = receiver.answer ?? 200
    if (typeof answer === 'number') response.writeHead(answer).end()
    else await answer(received, response)
    for (const look of waiting) look()
  }
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening))
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  return receiver
}
