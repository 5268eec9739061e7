/** CalDAV accounts on Cyrus. */
import { caldavStand } from '../support/caldavStand.ts'
import { startCyrusCaldav } from '../support/cyrusCaldav.ts'
import { keepsTheInterface } from './suite.ts'

keepsTheInterface('CalDAV on Cyrus', async () => caldavStand(await startCyrusCaldav()))
