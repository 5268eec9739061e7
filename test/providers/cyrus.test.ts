/** CalDAV accounts on Cyrus. */
import { caldavStand } from '../support/calendars/caldavStand.ts'
import { startCyrusCaldav } from '../support/calendars/cyrusCaldav.ts'
import { keepsTheInterface } from './suite.ts'

keepsTheInterface('CalDAV on Cyrus', async () => caldavStand(await startCyrusCaldav()))
