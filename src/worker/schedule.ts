// What recurs, and when.
import type { CronItem } from 'graphile-worker'

/** Times are UTC. */
export const schedule: readonly CronItem[] = []
