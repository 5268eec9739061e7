import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'

import { loadConfig } from '../config.ts'
import { doctorCommand } from './doctor.ts'

const disk = vi.hoisted(() => ({ free: 0 }))
vi.mock('node:fs', async (original) => ({
  ...(await original<typeof import('node:fs')>()),
  statfsSync: () => ({ bavail: disk.free / 4_096, bsize: 4_096 }),
}))

it('says when the disk of the embedded database fills up, and that of nobody else', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'openslot-doctor-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const look = async (environment: Record<string, string>) =>
    (
      await doctorCommand.run({
        config: loadConfig({ DATA_DIR: directory, ...environment }),
        options: { only: 'disk' },
        operands: {},
        progress: () => {},
      })
    ).text
  disk.free = 199_000_000
  expect(await look({})).toBe('')
  mkdirSync(join(directory, 'postgres'))
  const place = join(directory, 'postgres')
  expect(await look({})).toBe(`✗ disk: 199 MB are free for ${place}; make room: once it is full nothing can be booked`)
  disk.free = 201_000_000
  expect(await look({})).toBe(`✓ disk: 201 MB are free for ${place}`)
  expect(await look({ DATABASE_URL: 'postgres://me@127.0.0.1:1/x' })).toBe('')
})
