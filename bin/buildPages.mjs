/** Builds the guests' pages from `web/` into `dist/web`. Runs under the pinned Node, as a process of its own: `bin/prepare.mjs` starts it when they are stale. */

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

import { build } from 'vite'

import { root } from './pinnedNode.mjs'
import { builds, hashSources, stamp } from './prepare.mjs'

const web = join(root, 'web')

const hash = hashSources(builds.pages)
const { folder } = builds.pages
const draft = `${folder}-${process.pid}`
try {
  await buildBookingPage()
  await buildEmbed()
  await writeLanguages()
  compressAll(join(draft, 'assets'))
  compressAll(join(draft, 'embed'))
  writeFileSync(join(draft, stamp), hash)
  // Whoever reads the folder meanwhile finds the old pages or the new ones, never half of each.
  rmSync(folder, { recursive: true, force: true })
  renameSync(draft, folder)
} finally {
  rmSync(draft, { recursive: true, force: true })
}

async function buildBookingPage() {
  await build({
    configFile: false,
    root: web,
    logLevel: 'warn',
    build: {
      outDir: draft,
      emptyOutDir: true,
      manifest: 'manifest.json',
      target: 'es2022',
      // The policy of the pages lets no data: font or script in, and nothing here is small enough to matter.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      rolldownOptions: {
        input: join(web, 'booking', 'main.tsx'),
        // Chromium compiles all of it while it loads, off the main thread, and nothing while a guest waits for a tap's answer.
        output: { postBanner: '//# allFunctionsCalledOnLoad' },
      },
    },
  })
}

/** One classic script without a hash in its name: other sites name it, and it must not need more than its one line. */
async function buildEmbed() {
  await build({
    configFile: false,
    root: web,
    logLevel: 'warn',
    mode: 'production',
    build: {
      outDir: join(draft, 'embed'),
      emptyOutDir: false,
      target: 'es2022',
      rolldownOptions: {
        input: join(web, 'booking', 'embed.ts'),
        output: { format: 'iife', entryFileNames: 'embed.js' },
      },
      modulePreload: false,
    },
  })
}

/** The server puts the words of one language into each page, so no page carries all of them. */
async function writeLanguages() {
  const { languages } = await import(pathToFileURL(join(web, 'booking', 'languages', 'languages.ts')).href)
  writeFileSync(join(draft, 'languages.json'), JSON.stringify(languages))
}

/** Once, as small as it goes, rather than at every request. */
function compressAll(folder) {
  mkdirSync(folder, { recursive: true })
  for (const name of readdirSync(folder)) {
    const text = readFileSync(join(folder, name))
    writeFileSync(join(folder, `${name}.gz`), gzipSync(text, { level: constants.Z_BEST_COMPRESSION }))
    writeFileSync(join(folder, `${name}.br`), brotliCompressSync(text))
  }
}
