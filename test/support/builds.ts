/** What users run: the server and the pages as they are built. */
import { join } from 'node:path'
import { beforeAll } from 'vitest'

/** The program behind the command `openslot`, once `useBuild('server')` has run. */
export const program = join(import.meta.dirname, '..', '..', 'dist', 'server', 'main.js')

/** Builds it where it is not of the sources as they stand; at the top of a test file. */
export function useBuild(name: 'server' | 'pages'): void {
  beforeAll(async () => {
    const { builds, prepareBuild } = (await import('../../bin/prepare.mjs' as string)) as {
      builds: Record<'server' | 'pages', object>
      prepareBuild(build: object): Promise<void>
    }
    await prepareBuild(builds[name])
  }, 120_000)
}
