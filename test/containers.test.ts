import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

import { expect, onTestFinished, test } from 'vitest'

import { parseMasterKeys } from '../src/adapters/storage/secrets/masterKeys.ts'
import { loadConfig, settings } from '../src/config.ts'
import { composeText, readCompose, secrets } from './support/compose.ts'

const root = new URL('../', import.meta.url)
const compose = readCompose()
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

test('the image runs the server, and the command of a checkout, as the launcher does', async () => {
  const { runtime } = (await import('../bin/prepare.mjs' as string)) as {
    runtime: { flags: string[]; environment: Record<string, string> }
  }
  const made = argumentsOf('RUN').find((run) => run.includes('/usr/local/bin/openslot')) ?? ''
  const directory = mkdtempSync(join(tmpdir(), 'openslot-command-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  await promisify(execFile)('sh', ['-c', made.replaceAll('/usr/local/bin', directory)])
  const program = `${argumentsOf('WORKDIR').at(-1)}/dist/server/main.js`
  expect(readFileSync(join(directory, 'openslot'), 'utf8')).toBe(
    `#!/bin/sh\nexec node ${runtime.flags.join(' ')} ${program} "$@"\n`,
  )
  expect(statSync(join(directory, 'openslot')).mode & 0o111).toBe(0o111)
  for (const [name, value] of Object.entries(runtime.environment))
    expect(argumentsOf('ENV').join(' ')).toContain(`${name}=${value}`)
  expect(JSON.parse(argumentsOf('ENTRYPOINT').at(-1) ?? '')).toEqual(['openslot'])
  expect(compose.services.worker?.healthcheck?.test[1]).toBe('openslot')
})

test('no secret stands in compose.yaml, and a missing one stops the start', () => {
  for (const name of ['POSTGRES_PASSWORD', 'MASTER_KEY'])
    expect(() => readCompose({ ...secrets, [name]: '' })).toThrow(`${name}: see the top of compose.yaml`)
  const others = { POSTGRES_PASSWORD: 'other', MASTER_KEY: 'other' }
  for (const [name, { environment }] of Object.entries(readCompose(others).services))
    for (const [setting, value] of Object.entries(environment ?? {}))
      if (/PASSWORD|MASTER_KEY|DATABASE_URL/.test(setting)) expect(value, `${name} ${setting}`).toContain('other')
})

/** What the container is, whoever runs it. */
const givenByTheContainer: Readonly<Record<string, string>> = {
  PORT: 'the one inside, which nobody sees; in .env it is the one of this machine that leads there',
  HOST: 'every interface of the container, of which compose publishes one port to loopback',
  DATA_DIR: 'the volume of the image, and unused: PostgreSQL has a container of its own, and MASTER_KEY is required',
  DATABASE_URL: 'the database beside it, with POSTGRES_PASSWORD',
  ROLE: 'of each service its own',
}
/** The worker answers none. */
const aboutRequests = ['TRUSTED_PROXIES', 'RATE_LIMIT']

test.each(settings.map(({ name }) => name))('%s in .env reaches the containers, or is theirs to know', (name) => {
  const set = readCompose({ ...secrets, [name]: 'as-set' })
  const reached = ['server', 'worker'].filter((service) => set.services[service]?.environment?.[name] === 'as-set')
  if (Object.hasOwn(givenByTheContainer, name)) expect(reached).toEqual([])
  else expect(reached).toEqual(aboutRequests.includes(name) ? ['server'] : ['server', 'worker'])
})

test('what compose hands over are settings that the server reads, and with an empty .env they are the defaults', () => {
  for (const [service, role] of [
    ['server', 'web'],
    ['worker', 'worker'],
  ] as const) {
    const { MASTER_KEY, DATABASE_URL, TRUSTED_PROXIES, ...given } = compose.services[service]?.environment ?? {}
    const known: readonly string[] = settings.map((setting) => setting.name)
    expect(Object.keys(given).filter((name) => !known.includes(name))).toEqual([])
    expect(loadConfig(given)).toEqual(loadConfig({ ROLE: role }))
  }
})

test('BASE_URL follows the port of this machine where it is not set', () => {
  const { services } = readCompose({ ...secrets, PORT: '8080' })
  expect(services.server?.environment).toMatchObject({ BASE_URL: 'http://localhost:8080' })
  expect(services.server?.ports).toEqual(['127.0.0.1:8080:3000'])
})

test('a proxy on this machine, or beside the containers, is believed, and nobody from elsewhere', () => {
  for (const [variables, subnet] of [
    [{}, '10.213.76.0/28'],
    [{ SUBNET: '192.168.77.0/29' }, '192.168.77.0/29'],
  ] as const) {
    const { networks, services } = readCompose({ ...secrets, ...variables })
    expect(networks.default.ipam.config).toEqual([{ subnet }])
    expect(services.server?.environment?.TRUSTED_PROXIES).toBe(subnet)
  }
})

test('the line that makes .env draws a name for each master key, and leaves one that is there', async () => {
  const line = /^# {3}(\(set -C; .* > \.env\))$/m.exec(composeText)?.[1] ?? ''
  const directory = mkdtempSync(join(tmpdir(), 'openslot-compose-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  // Not every machine that tests has openssl; its `rand` is all that is needed.
  const program = `#!${process.execPath}
    const [command, coding, bytes] = process.argv.slice(2)
    if (command === 'rand') console.log(require('node:crypto').randomBytes(Number(bytes)).toString(coding.slice(1)))`
  writeFileSync(join(directory, 'openssl'), program, { mode: 0o755 })
  const run = () =>
    promisify(execFile)('sh', ['-c', line], {
      cwd: directory,
      env: { PATH: `${directory}${delimiter}${process.env.PATH}` },
    })
  const file = join(directory, '.env')
  const kids = new Set<string | undefined>()
  for (let times = 0; times < 2; times++) {
    rmSync(file, { force: true })
    await run()
    const [, password, masterKey = ''] =
      /^POSTGRES_PASSWORD=(\w{48})\nMASTER_KEY=(.*)\n$/.exec(readFileSync(file, 'utf8')) ?? []
    expect(password).toBeDefined()
    kids.add(parseMasterKeys(masterKey, 'MASTER_KEY')[0]?.kid)
  }
  expect(kids.size).toBe(2)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const before = readFileSync(file, 'utf8')
  await expect(run()).rejects.toThrow()
  expect(readFileSync(file, 'utf8')).toBe(before)
})

test('the port is open to this machine only, and the database has none', () => {
  expect(compose.services.server?.ports).toEqual([expect.stringMatching(/^127\.0\.0\.1:/)])
  expect(compose.services.database).not.toHaveProperty('ports')
})

test('every service is watched: by the image, or by a check of its own', () => {
  expect(argumentsOf('HEALTHCHECK')[0]).toContain('/healthz')
  for (const name of ['worker', 'database']) expect(compose.services[name]?.healthcheck?.test[0]).toBe('CMD')
})

test('the image asks its server on the port that is set', async () => {
  const check = argumentsOf('HEALTHCHECK')[0] ?? ''
  const [command, ...words] = JSON.parse(check.slice(check.indexOf('['))) as string[]
  expect(command).toBe('node')
  let status = 200
  const server = createServer(({ url }, response) => {
    response.writeHead(url === '/healthz' ? status : 404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const PORT = String((server.address() as AddressInfo).port)
  const isHealthy = () =>
    promisify(execFile)(process.execPath, words, { env: { PORT } }).then(
      () => true,
      () => false,
    )
  expect(await isHealthy()).toBe(true)
  status = 503
  expect(await isHealthy()).toBe(false)
  server.close()
  server.closeAllConnections()
  expect(await isHealthy()).toBe(false)
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
