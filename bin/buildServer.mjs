/** Builds the server from `src/` into `dist/server`. Runs under the pinned Node, as a process of its own: `bin/prepare.mjs` starts it when it is stale. */

import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { build } from 'vite'

import { root } from './pinnedNode.mjs'
import { builds, hashSources, stamp } from './prepare.mjs'

/**
 * One file in place of hundreds, without types: it starts sooner and holds less in memory, and packages may carry no
 * TypeScript. Our own code and the schema library, of which we use a part; all others stay where npm has put them.
 */
export function buildServer(entry, folder) {
  return build({
    configFile: false,
    root,
    logLevel: 'warn',
    publicDir: false,
    ssr: { noExternal: ['typebox'] },
    build: {
      ssr: entry,
      outDir: folder,
      emptyOutDir: true,
      target: 'esnext',
      // Not minified, so that a stack trace can be read.
      minify: false,
      rolldownOptions: { output: { chunkFileNames: '[name]-[hash].js' } },
    },
    plugins: [{ name: 'in-ascii', generateBundle: (_options, files) => Object.values(files).forEach(putInAscii) }],
  })
}

/** One letter beyond Latin-1, in a comment even, and V8 keeps the whole text of the program with two bytes a letter. */
function putInAscii(file) {
  if (/\\\P{ASCII}/u.test(file.code)) throw new Error(`${file.fileName}: what follows a backslash cannot be escaped`)
  file.code = file.code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

if (process.argv[1] === import.meta.filename) {
  const { folder } = builds.server
  const hash = hashSources(builds.server)
  const draft = `${folder}-${process.pid}`
  try {
    await buildServer(join(root, 'src', 'main.ts'), draft)
    writeFileSync(join(draft, stamp), hash)
    // Whoever starts meanwhile finds the old server or the new one, never half of each.
    rmSync(folder, { recursive: true, force: true })
    renameSync(draft, folder)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}
