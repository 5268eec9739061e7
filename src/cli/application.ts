// Which application a command is about.
import type { App } from '../app.ts'
import type { AppId } from '../core/ids.ts'
import type { Invocation, Option } from './command.ts'
import { unwrap } from './withApp.ts'

/** As the option `app`. */
export const applicationOption: Option = {
  type: 'string',
  value: 'ID',
  meaning: 'the application; the oldest one where absent',
}

/** Throws a plain sentence where there is none. */
export async function findApplication(operations: App['operations'], { app }: Invocation['options']): Promise<AppId> {
  const applications = unwrap(await operations.listApplications())
  const found = typeof app === 'string' ? applications.find(({ id }) => id === app) : applications[0]
  if (found === undefined)
    throw new Error(typeof app === 'string' ? `There is no application ${app}.` : 'There is no application yet.')
  return found.id as AppId
}
