// Opens the application for the time of one command.
import { type App, buildApp } from '../app.ts'
import type { Config } from '../config.ts'
import type { AppId } from '../core/ids.ts'
import type { Problem } from '../core/problem.ts'
import type { Result } from '../core/result.ts'
import type { Invocation, Option } from './command.ts'

/** An expected failure on its way to the terminal. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
  constructor({ message, field }: Problem) {
    super(field === undefined ? `${message}.` : `${field} ${message}.`)
  }
}

/** Migrates under a lock, and uses the embedded PostgreSQL whether a server runs on it or not. */
export async function withApp<T>(config: Config, work: (operations: App['operations']) => Promise<T>): Promise<T> {
  const app = await buildApp(config)
  try {
    return await work(app.operations)
  } finally {
    await app.close()
  }
}

/** The value; throws `CommandFailed` for a problem. */
export function unwrap<T>(result: Result<T>): T {
  if (!result.ok) throw new CommandFailed(result.problem)
  return result.value
}

export const applicationOption: Option = {
  type: 'string',
  value: 'ID',
  meaning: 'the application; the oldest one where absent',
}

/** The application that `app` names, or the oldest. Throws a sentence where there is none. */
export async function findApplication(operations: App['operations'], { app }: Invocation['options']): Promise<AppId> {
  const applications = unwrap(await operations.listApplications())
  const found = typeof app === 'string' ? applications.find(({ id }) => id === app) : applications[0]
  if (found === undefined)
    throw new Error(typeof app === 'string' ? `There is no application ${app}.` : 'There is no application yet.')
  return found.id as AppId
}
