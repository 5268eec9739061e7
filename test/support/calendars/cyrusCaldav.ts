/** Cyrus as one of the CalDAV servers. */
import type { CaldavServer } from './caldavServer.ts'
import { type CyrusOptions, startCyrus } from './cyrus.ts'

export async function startCyrusCaldav(options: CyrusOptions = {}): Promise<CaldavServer> {
  const { url, users, stop } = await startCyrus(options)
  return {
    name: 'Cyrus',
    url,
    users: users.map(({ name, password, email, calendarUrl }) => ({
      username: name,
      password,
      email,
      calendar: calendarUrl,
    })),
    stop,
  }
}
