// What recurs, and when.
import type { CronItem } from 'graphile-worker'

/** Times are UTC. Runs that were missed while no worker ran are not made up for: the next one does their work. */
export const schedule: readonly CronItem[] = [
  { task: 'sweep', match: '*/5 * * * *' },
  { task: 'findUnsent', match: '* * * * *' },
  { task: 'reviveEndpoints', match: '*/10 * * * *' },
]
