/** CalDAV accounts on Radicale. */
import { caldavStand } from '../support/calendars/caldavStand.ts'
import { startRadicale } from '../support/calendars/radicale.ts'
import { keepsTheInterface } from './suite.ts'

keepsTheInterface('CalDAV on Radicale', async () => caldavStand(await startRadicale(['alice'])))
