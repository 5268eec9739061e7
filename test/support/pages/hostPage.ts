/** A host page of its own origin on loopback: what applications build around the server. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'

import { build, type Rolldown } from 'vite'
import { afterAll } from 'vitest'

export type HostPage = { readonly url: string }

export type Answer = { readonly type: string; readonly body: string; readonly headers?: Record<string, string> }

/** Serves `answers` by path until the file's tests are done; on `localhost`, which is another site than 127.0.0.1. */
export async function servePages(answers: Readonly<Record<string, Answer>>): Promise<HostPage> {
  const server = createServer((request, response) => {
    const answer = answers[new URL(request.url ?? '/', 'http://localhost').pathname]
    if (answer === undefined) response.writeHead(204).end()
    else response.writeHead(200, { 'content-type': answer.type, ...answer.headers }).end(answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://localhost:${(server.address() as AddressInfo).port}` }
}

/** One script with everything that `entry` imports, as a page loads it. `texts` are files that are on no disk, by absolute path. */
export async function bundle(entry: string, texts: Readonly<Record<string, string>> = {}): Promise<string> {
  const built = (await build({
    configFile: false,
    logLevel: 'error',
    oxc: { jsx: { runtime: 'automatic', development: false } },
    define: {
      'process.env.NODE_ENV': '"production"',
      __VUE_OPTIONS_API__: 'false',
      __VUE_PROD_DEVTOOLS__: 'false',
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
    },
    plugins: [
      {
        name: 'texts',
        enforce: 'pre',
        resolveId: (name, importer) => {
          if (texts[name] !== undefined) return name
          // Packages are this project's own, wherever the text that names them would lie.
          return importer !== undefined && texts[importer] !== undefined && /^[a-z]/.test(name)
            ? fileURLToPath(import.meta.resolve(name))
            : undefined
        },
        load: (name) => texts[name],
      },
    ],
    build: {
      write: false,
      minify: false,
      lib: { entry, formats: ['es'], fileName: 'page' },
      rolldownOptions: { output: { codeSplitting: false } },
    },
  })) as Rolldown.RolldownOutput[]
  const chunk = built.flatMap(({ output }) => output).find(({ type }) => type === 'chunk')
  if (chunk?.type !== 'chunk') throw new Error(`nothing was built of ${entry}`)
  return chunk.code
}
