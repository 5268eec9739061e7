/** CalDAV accounts on Radicale. */
import { caldavStand } from '../support/caldavStand.ts'
import { startRadicale } from '../support/radicale.ts'
import { keepsTheInterface } from './suite.ts'

keepsTheInterface('CalDAV on Radicale', async () => caldavStand(await startRadicale(['alice'])))
