// The route table: every door of the API on one screen.
import type { Route } from '../route.ts'
import { applicationRoutes } from './applications.ts'
import { calendarAvailabilityRoutes } from './calendarAvailability.ts'
import { calendarRoutes } from './calendars.ts'
import { configurationRoutes } from './configurations.ts'
import { connectRoutes } from './connect.ts'
import { connectorRoutes } from './connectors.ts'
import { eventRoutes } from './events.ts'
import { grantRoutes } from './grants.ts'
import { healthRoutes } from './health.ts'
import { schedulingRoutes } from './scheduling.ts'
import { webhookRoutes } from './webhooks.ts'

export const routes: readonly Route[] = [
  ...healthRoutes,
  ...applicationRoutes,
  ...connectorRoutes,
  ...connectRoutes,
  ...grantRoutes,
  ...calendarAvailabilityRoutes,
  ...calendarRoutes,
  ...eventRoutes,
  ...configurationRoutes,
  ...schedulingRoutes,
  ...webhookRoutes,
]
