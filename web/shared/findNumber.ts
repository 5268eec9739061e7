// The work of a proof of work.
import { sha256 } from './sha256.ts'

/** The number up to `maxnumber` (included) whose hash behind `salt` is `challenge`; undefined where none is. */
export function findNumber(challenge: string, salt: string, maxnumber: number): number | undefined {
  for (let number = 0; number <= maxnumber; number++) if (sha256(salt + number) === challenge) return number
  return undefined
}
