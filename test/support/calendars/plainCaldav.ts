/** A real CalDAV server made to do without what its standards only recommend: no sync tokens, no tag, no ETags; and it overwrites. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import type { CaldavServer } from './caldavServer.ts'

export type PlainCaldav = CaldavServer & {
  /** Names of the reports and methods that were asked, since this was asked last. */
  takeAsked(): string[]
}

/** `keeps`: what is left of what tells one version from another. */
export async function startPlainCaldav(behind: CaldavServer, keeps: 'tagAndEtags' | 'nothing'): Promise<PlainCaldav> {
  const asked: string[] = []
  const without = ['sync-token', ...(keeps === 'nothing' ? ['getctag', 'getetag'] : [])]
  const withheld = new RegExp(`<(\\w+:)?(${without.join('|')})\\b[^>]*>[^<]*</(\\w+:)?(${without.join('|')})>`, 'g')

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const { method = 'GET', url = '/' } = request
    const report = /<[A-Z]:(sync-collection|calendar-query|calendar-multiget)/.exec(body.toString())?.[1]
    asked.push(report ?? method)
    if (report === 'sync-collection') {
      response.writeHead(501).end()
      return
    }
    const headers = Object.entries(request.headers).filter(
      // Whoever asks to write only where nothing stands overwrites what does.
      ([name]) => !/^(host|connection|content-length|if-none-match)$/.test(name),
    )
    const answer = await fetch(new URL(url, behind.url), {
      method,
      redirect: 'manual',
      headers: Object.fromEntries(headers.map(([name, value]) => [name, String(value)])),
      ...(body.length === 0 ? {} : { body }),
    })
    const kept = [...answer.headers].filter(
      ([name]) =>
        !/^(transfer-encoding|content-encoding|connection|content-length)$/.test(name) &&
        !(name === 'etag' && (method === 'PUT' || keeps === 'nothing')),
    )
    response.writeHead(answer.status, Object.fromEntries(kept)).end((await answer.text()).replace(withheld, ''))
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: Error) => response.writeHead(502).end(error.message))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    ...behind,
    name: `${behind.name}, made plain`,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    takeAsked: () => asked.splice(0),
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await behind.stop()
    },
  }
}
