/** All that a server keeps, as its backup has it. */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

import type { TestServer } from './server.ts'

/** To be called in a test. */
export async function readBackup({ app }: Pick<TestServer, 'app'>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'openslot-backup-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const file = join(directory, 'all')
  await app.operations.backUp({ file, onRows: () => {} })
  return readFileSync(file, 'utf8')
}
