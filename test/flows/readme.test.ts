/** Runs every example of the README and of docs/bookings.md as it stands, against a server that was just started. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { afterAll, beforeAll, expect, it } from 'vitest'

import { makeDirectory, startServer } from './cli/openslot.ts'

const readme = readFileSync('README.md', 'utf8')
const guide = readFileSync('docs/bookings.md', 'utf8')
const scratch = join('test', '.readme')
let server: Awaited<ReturnType<typeof startServer>>
let environment: Record<string, string>

beforeAll(async () => {
  const settings = { DATA_DIR: makeDirectory(), LOG_LEVEL: 'error', RATE_LIMIT: 'off' }
  server = await startServer(settings)
  environment = {
    ...process.env,
    ...settings,
    PORT: String(server.port),
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
  } as Record<string, string>
})

afterAll(async () => {
  rmSync(scratch, { recursive: true, force: true })
  await server?.stop()
})

function examples(page: string, language: string): string {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'gm'))]
    .map(([, text]) => text)
    .join('\n')
    .replaceAll('http://localhost:3000', server.url)
}

function bash(script: string): string {
  const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', script], {
    env: environment,
    encoding: 'utf8',
  })
  expect(stderr.replace(/^npm warn .*$/gm, '').trim()).toBe('')
  expect(status).toBe(0)
  return stdout
}

it('the two commands are the scripts of the package', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }
  for (const [, command = ''] of readme.matchAll(/^npm (start|test)$/gm)) expect(scripts).toHaveProperty(command)
})

it('the curl that the first start prints books the next free slot', () => {
  const curl = server.greeting.split('\n').find((line) => line.startsWith('curl '))
  expect(JSON.parse(bash(`${curl} --silent`))).toMatchObject({ data: { status: 'booked' } })
})

it('the shell examples find a slot, book it, move it and call it off', () => {
  const answers = bash(examples(readme, 'sh').replace(/^npx openslot keys .*$/m, ''))
    .split(/(?<=\})(?=\{)|\n/)
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
  expect(answers).toMatchObject([
    { data: { status: 'booked' } },
    { data: { status: 'booked' } },
    { request_id: expect.any(String) },
  ])
  expect(answers[1].data.booking_id).toBe(answers[0].data.booking_id)
  expect(answers[2]).not.toHaveProperty('error')
})

it("a key of one's own runs the SDK example", () => {
  const [, command = ''] = /^(npx openslot keys .*)$/m.exec(readme) ?? []
  const { api_key: apiKey } = JSON.parse(bash(command))
  mkdirSync(scratch, { recursive: true })
  const file = join(scratch, 'example.mjs')
  writeFileSync(file, examples(readme, 'js'))
  environment = { ...environment, API_KEY: apiKey }
  expect(bash(`node ${file}`)).toMatch(/^booked [0-9a-f-]{36}\n$/)
})

it('the guide books once for two requests, tells a lost race, moves, confirms and calls off', () => {
  const shown = ['BOOKING', 'AGAIN', 'MOVED', 'CONFIRMED'].map((name) => `echo "$${name}"`).join('\n')
  // The shell stops at the first `test` that does not hold.
  const [ended, listed, booking, again, moved, confirmed] = bash(`${examples(guide, 'sh')}\n${shown}`)
    .split(/(?<=\})(?=\{)|\n/)
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
  expect(booking.data.status).toBe('pending')
  expect(again.data).toEqual(booking.data)
  expect(moved.data).toMatchObject({ booking_id: booking.data.booking_id, status: 'pending' })
  expect(confirmed.data).toMatchObject({ booking_id: booking.data.booking_id, status: 'booked' })
  expect(ended).toEqual({ request_id: expect.any(String) })
  expect(listed.data).toMatchObject([
    { booking_id: booking.data.booking_id, status: 'cancelled', cancellation_reason: 'It stopped raining' },
  ])
})
