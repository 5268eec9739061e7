/** The package as npm would publish it, installed as somebody's dependency: nothing of the checkout but what it carries. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

import { useBuild } from '../../support/builds.ts'
import { makeDatabase, makeDirectory, startServer } from './openslot.ts'

useBuild('pages')

const checkout = join(import.meta.dirname, '..', '..', '..')
const run = promisify(execFile)

test('starts without its sources, with its own dependencies alone, and serves the page that books', async () => {
  const packed = await install()
  expect(existsSync(join(packed, 'src'))).toBe(false)
  const { environment } = await makeDatabase()
  const server = await startServer(environment, join(packed, 'bin', 'openslot.mjs'))
  const curl = server.greeting.split('\n').find((line) => line.startsWith('curl ')) ?? ''
  const { stdout } = await run('sh', ['-c', `${curl} --silent`.replaceAll('//localhost:', '//127.0.0.1:')])
  expect(JSON.parse(stdout).data).toMatchObject({ status: 'booked' })

  const [, path] = /http:\/\/localhost:\d+(\/\S+\/demo)/.exec(server.greeting) ?? []
  const page = await (await fetch(`${server.url}${path}`)).text()
  const [, script = ''] = /<script[^>]+src="([^"]+)"/.exec(page) ?? []
  expect((await fetch(new URL(script, server.url))).status).toBe(200)
  expect(await server.stop()).toMatchObject({ code: 0 })
}, 60_000)

/** Packs, and unpacks beside the packages that it asks for. Answers its folder. */
async function install(): Promise<string> {
  const place = makeDirectory()
  const modules = join(place, 'node_modules')
  mkdirSync(modules)
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', place], {
    cwd: checkout,
  })
  const [{ filename }] = JSON.parse(stdout)
  await run('tar', ['-xzf', join(place, filename), '-C', modules])
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'))
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const from = join(checkout, 'node_modules', name)
    if (!existsSync(from)) continue
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(from, join(modules, name))
  }
  return join(modules, 'package')
}
