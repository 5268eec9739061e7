/** CalDAV accounts on DAViCal. */
import { caldavStand } from '../support/caldavStand.ts'
import { startDavical } from '../support/davical.ts'
import { keepsTheInterface } from './suite.ts'

keepsTheInterface('CalDAV on DAViCal', async () => caldavStand(await startDavical(['alice'])))
