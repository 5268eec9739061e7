/** `npm run build`: prepares the checkout and builds the server and the pages, which the published package carries. */

import { builds, prepare, prepareBuild } from './prepare.mjs'

await prepare('all')
await prepareBuild(builds.server)
await prepareBuild(builds.pages)
