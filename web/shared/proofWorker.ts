// The worker of a proof of work: gets a challenge, and answers with the number or undefined.

import type { Challenge } from './client.ts'
import { findNumber } from './findNumber.ts'

addEventListener('message', ({ data }: MessageEvent<Challenge>) => {
  postMessage(findNumber(data.challenge, data.salt, data.maxnumber))
})
