/** `npm run build`: prepares the checkout and builds the pages, which the published package carries. */

import { prepare, preparePages } from './prepare.mjs'

await prepare('all')
await preparePages()
