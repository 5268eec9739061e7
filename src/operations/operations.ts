// The table of contents: all that the server can do, by name, bound to what it works with.
import { CommitUnknown, DatabaseUnavailable } from '../adapters/storage/database.ts'
import type { Result } from '../core/result.ts'
import { failure } from '../core/result.ts'
import { identify } from './identify.ts'
import type { Tools } from './tools.ts'

export type Operations = ReturnType<typeof bindOperations>

/** Every operation with its tools in hand. A database that is away becomes the problem `unavailable`. */
export function bindOperations(tools: Tools) {
  return {
    identify: bind(tools, identify),
  }
}

function bind<Command extends unknown[], Value>(
  tools: Tools,
  operation: (tools: Tools, ...command: Command) => Promise<Result<Value>>,
): (...command: Command) => Promise<Result<Value>> {
  return async (...command) => {
    try {
      return await operation(tools, ...command)
    } catch (error) {
      if (error instanceof DatabaseUnavailable || error instanceof CommitUnknown)
        return failure({ kind: 'unavailable', message: 'The service is briefly unavailable; please try again.', retryAfterSeconds: 2 })
      throw error
    }
  }
}
