/** CalDAV accounts on what is reported of iCloud: emulated, in front of Cyrus. */
import { caldavStand } from '../support/calendars/caldavStand.ts'
import { startCyrusCaldav } from '../support/calendars/cyrusCaldav.ts'
import { startIcloudLike } from '../support/calendars/icloudLike.ts'
import { keepsTheInterface } from './suite.ts'

keepsTheInterface('CalDAV on an emulated iCloud', async () => {
  const behind = await startCyrusCaldav()
  const { server, resolve } = await startIcloudLike(behind)
  return caldavStand({ ...server, users: behind.users }, { network: { resolve }, signIn: server.users[0] })
})
