/** CalDAV accounts on DAViCal. */
import { caldavStand } from '../support/calendars/caldavStand.ts'
import { startDavical } from '../support/calendars/davical.ts'
import { keepsTheInterface } from './suite.ts'

keepsTheInterface('CalDAV on DAViCal', async () => caldavStand(await startDavical(['alice'])))
