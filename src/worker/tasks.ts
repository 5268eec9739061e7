// The jobs by name: each carries ids only, reads its row when it runs, and is safe to repeat.
import type { TaskList } from 'graphile-worker'

import type { Operations } from '../operations/operations.ts'

export function tasks(_operations: Operations): TaskList {
  return {}
}
