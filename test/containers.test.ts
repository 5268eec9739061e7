import { existsSync, readFileSync } from 'node:fs'

import { expect, test } from 'vitest'
import { parse } from 'yaml'

import { settings } from '../src/config.ts'

type Service = {
  readonly environment?: Record<string, string>
  readonly healthcheck?: { readonly test: string[] }
  readonly [option: string]: unknown
}

const root = new URL('../', import.meta.url)
const compose = parse(readFileSync(new URL('compose.yaml', root), 'utf8'), { merge: true }) as {
  services: Record<string, Service>
}
const services = Object.entries(compose.services)
const instructions = readFileSync(new URL('Dockerfile', root), 'utf8')
  .replaceAll(/\\\n/g, ' ')
  .split('\n')
  .filter((line) => line.trim() !== '' && !line.startsWith('#'))
  .map((line) => ({ name: line.split(' ', 1)[0] ?? '', rest: line.slice(line.indexOf(' ') + 1) }))

function argumentsOf(name: string): string[] {
  return instructions.filter((instruction) => instruction.name === name).map((instruction) => instruction.rest)
}

test('compose runs a server, a worker and a database', () => {
  expect(services.map(([name, { environment }]) => [name, environment?.ROLE])).toEqual([
    ['server', 'web'],
    ['worker', 'worker'],
    ['database', undefined],
  ])
})

test.each(services)('the service %s can write nowhere but where it must, and gain no right', (_name, service) => {
  expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] })
  expect(service).not.toHaveProperty('privileged')
  expect(service.tmpfs).toContain('/tmp')
  expect(service.user).not.toBe('root')
})

test('the image runs the server as the launcher does', async () => {
  const { runtime } = (await import('../bin/prepare.mjs' as string)) as {
    runtime: { flags: string[]; environment: Record<string, string> }
  }
  expect(JSON.parse(argumentsOf('ENTRYPOINT').at(-1) ?? '')).toEqual(['node', ...runtime.flags, 'dist/server/main.js'])
  for (const [name, value] of Object.entries(runtime.environment))
    expect(argumentsOf('ENV').join(' ')).toContain(`${name}=${value}`)
})

test('no secret stands in compose.yaml, and a missing one stops the start', () => {
  for (const [, { environment }] of services)
    for (const [name, value] of Object.entries(environment ?? {}))
      if (/PASSWORD|KEY|DATABASE_URL/.test(name)) expect(value).toMatch(/\$\{[A-Z_]+:\?/)
})

test('what compose hands to the server are settings that the server reads', () => {
  const known: readonly string[] = settings.map((setting) => setting.name)
  for (const name of ['server', 'worker']) {
    const given = Object.keys(compose.services[name]?.environment ?? {})
    expect(given.filter((setting) => !known.includes(setting))).toEqual([])
  }
})

test('the port is open to this machine only, and the database has none', () => {
  expect(compose.services.server?.ports).toEqual([expect.stringMatching(/^127\.0\.0\.1:/)])
  expect(compose.services.database).not.toHaveProperty('ports')
})

test('every service is watched: by the image, or by a check of its own', () => {
  expect(argumentsOf('HEALTHCHECK')[0]).toContain('/healthz')
  for (const name of ['worker', 'database']) expect(compose.services[name]?.healthcheck?.test[0]).toBe('CMD')
})

test('the image runs Debian slim, not as root, without a shell in between', () => {
  expect(argumentsOf('FROM').map((image) => image.replace(/ AS \w+$/, ''))).toEqual(
    Array(2).fill(expect.stringMatching(/^node:26-\w+-slim$/)),
  )
  expect(argumentsOf('USER')).toEqual(['node'])
  for (const name of ['ENTRYPOINT', 'CMD']) expect(JSON.parse(argumentsOf(name).join())).toBeInstanceOf(Array)
  const order = instructions
    .slice(instructions.findLastIndex(({ name }) => name === 'FROM'))
    .map((instruction) => instruction.name)
  expect(order.slice(order.indexOf('USER'))).not.toContain('RUN')
})

test('the image takes nothing from the network but what the lockfile pins, and runs no install script', () => {
  expect(argumentsOf('ADD')).toEqual([])
  const runs = argumentsOf('RUN').join('\n')
  expect(runs).toContain('npm ci --ignore-scripts')
  expect(runs).not.toMatch(/curl|wget|apt-get|npm (i|install) /)
})

test('all that the image copies is there and passes .dockerignore, which shuts out everything else', () => {
  const rules = readFileSync(new URL('.dockerignore', root), 'utf8').split('\n')
  expect(rules).toContain('*')
  // What an earlier stage has built was made inside of the image.
  for (const copy of argumentsOf('COPY').filter((rest) => !rest.startsWith('--from=')))
    for (const source of copy.split(' ').slice(0, -1)) {
      expect(existsSync(new URL(source, root)), source).toBe(true)
      expect(rules).toContain(`!${source}`)
    }
})
