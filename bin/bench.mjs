/** `npm run bench`: prepares the checkout, then measures under the pinned Node. `--write` keeps the table in docs/performance.md. */

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

import { findNode, root } from './pinnedNode.mjs'
import { builds, prepare, prepareBuild } from './prepare.mjs'

await prepare('all')
await prepareBuild(builds.pages)
process.exitCode =
  spawnSync(findNode(), [join(root, 'bench', 'bench.ts'), ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1
