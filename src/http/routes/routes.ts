// The route table: every door of the API on one screen.
import type { Route } from '../route.ts'
import { applicationRoutes } from './applications.ts'
import { auditRoutes } from './audit.ts'
import { calendarAvailabilityRoutes } from './calendarAvailability.ts'
import { calendarRoutes } from './calendars.ts'
import { configurationRoutes } from './configurations.ts'
import { connectRoutes } from './connect.ts'
import { connectorRoutes } from './connectors.ts'
import { eventRoutes } from './events.ts'
import { grantRoutes } from './grants.ts'
import { groupEventRoutes } from './groupEvents.ts'
import { healthRoutes } from './health.ts'
import { mailRoutes } from './mails.ts'
import { schedulingRoutes } from './scheduling.ts'
import { webhookRoutes } from './webhooks.ts'

/** In the order in which the API's description shows them: what most people come for first. */
export const routes: readonly Route[] = [
  ...schedulingRoutes,
  ...configurationRoutes,
  ...groupEventRoutes,
  ...calendarAvailabilityRoutes,
  ...calendarRoutes,
  ...eventRoutes,
  ...grantRoutes,
  ...connectRoutes,
  ...connectorRoutes,
  ...applicationRoutes,
  ...webhookRoutes,
  ...mailRoutes,
  ...auditRoutes,
  ...healthRoutes,
]
