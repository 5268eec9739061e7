// The table of contents: all that the server can do, by name, bound to what it works with.
import { CommitUnknown, DatabaseUnavailable } from '../adapters/storage/database/database.ts'
import type { Result } from '../core/result.ts'
import { failure } from '../core/result.ts'
import { createApplication, createKey, listApplications, listKeys, revokeKey } from './accounts/accounts.ts'
import { changeApplication, showApplication } from './accounts/applications.ts'
import {
  changeCallbackUri,
  createCallbackUri,
  deleteCallbackUri,
  listCallbackUris,
  showCallbackUri,
} from './accounts/callbackUris.ts'
import { connectAccount } from './accounts/connectAccount.ts'
import {
  changeConnector,
  createConnector,
  deleteConnector,
  listConnectors,
  showConnector,
} from './accounts/connectors.ts'
import { describeToken, issueToken, revokeToken } from './accounts/connectTokens.ts'
import { changeGrant, connectGrant, listGrants, removeGrant } from './accounts/grants.ts'
import { identify } from './accounts/identify.ts'
import { readAudit } from './accounts/readAudit.ts'
import { resolveGrant } from './accounts/resolveGrant.ts'
import { cancelBooking } from './bookings/cancelBooking.ts'
import { confirmBooking } from './bookings/confirmBooking.ts'
import { createBooking } from './bookings/createBooking.ts'
import { loseCalendar } from './bookings/loseCalendar.ts'
import { readBooking, readBookings } from './bookings/readBookings.ts'
import { recoverBooking } from './bookings/recoverBooking.ts'
import { rescheduleBooking } from './bookings/rescheduleBooking.ts'
import { wantsProofOfWork } from './bookings/wantsProofOfWork.ts'
import { calendarAvailability } from './calendars/calendarAvailability.ts'
import { changeCalendar, createCalendar, deleteCalendar, listCalendars, showCalendar } from './calendars/calendars.ts'
import { listEventRows, listEventsBetween } from './calendars/eventLists.ts'
import { answerInvitation, changeEvent, createEvent, deleteEvent, showEvent } from './calendars/events.ts'
import { findDueCalendars } from './calendars/findDueCalendars.ts'
import { freeBusy } from './calendars/freeBusy.ts'
import { syncCalendar } from './calendars/syncCalendar.ts'
import {
  changeConfiguration,
  createConfiguration,
  deleteConfiguration,
  readConfigurationDocument,
  readConfigurations,
} from './configurations/configurations.ts'
import { findRedirect } from './configurations/findRedirect.ts'
import { findSlots } from './configurations/findSlots.ts'
import { createSession, endSession } from './configurations/sessions.ts'
import { readUiSettings } from './configurations/uiSettings.ts'
import { eraseGuest, exportGuest } from './guests/guests.ts'
import { arrangeReminders } from './mails/arrangeReminders.ts'
import { listMails, sendMailAgain, showMail } from './mails/mails.ts'
import { sendMail } from './mails/sendMail.ts'
import { sendReminder } from './mails/sendReminder.ts'
import { findFrameOrigins } from './pages/findFrameOrigins.ts'
import { openBookingPage } from './pages/openBookingPage.ts'
import { openLinkPage } from './pages/openLinkPage.ts'
import { readLogo } from './pages/readLogo.ts'
import type { Tools } from './tools.ts'
import { bootstrap } from './upkeep/bootstrap.ts'
import { checkHealth } from './upkeep/checkHealth.ts'
import { countTogether, lookTogether } from './upkeep/countTogether.ts'
import { sweep } from './upkeep/sweep.ts'
import { backUp, restore, rotateKeys } from './upkeep/upkeep.ts'
import { listBookingDeliveries, listEndpointDeliveries, readEventsFeed } from './webhooks/deliveries.ts'
import { deliverWebhooks } from './webhooks/deliverWebhooks.ts'
import {
  changeEndpoint,
  createEndpoint,
  deleteEndpoint,
  listEndpoints,
  mockPayload,
  rotateEndpointSecret,
  sendTestNotification,
  showEndpoint,
} from './webhooks/endpoints.ts'
import { fanOutNotifications, findUnsent, reviveEndpoints } from './webhooks/fanOutNotifications.ts'
import { continueReplay, replayDelivery, replayRange } from './webhooks/replays.ts'

export type Operations = ReturnType<typeof bindOperations>

/** Every operation with its tools in hand. A database that is away becomes the problem `unavailable`. */
export function bindOperations(tools: Tools) {
  return {
    bootstrap: bind(tools, bootstrap),
    createApplication: bind(tools, createApplication),
    listApplications: bind(tools, listApplications),
    createKey: bind(tools, createKey),
    listKeys: bind(tools, listKeys),
    revokeKey: bind(tools, revokeKey),
    readAudit: bind(tools, readAudit),
    backUp: bind(tools, backUp),
    restore: bind(tools, restore),
    rotateKeys: bind(tools, rotateKeys),
    checkHealth: bind(tools, checkHealth),
    countTogether: bind(tools, countTogether),
    lookTogether: bind(tools, lookTogether),
    identify: bind(tools, identify),
    resolveGrant: bind(tools, resolveGrant),
    showApplication: bind(tools, showApplication),
    changeApplication: bind(tools, changeApplication),
    listCallbackUris: bind(tools, listCallbackUris),
    showCallbackUri: bind(tools, showCallbackUri),
    createCallbackUri: bind(tools, createCallbackUri),
    changeCallbackUri: bind(tools, changeCallbackUri),
    deleteCallbackUri: bind(tools, deleteCallbackUri),
    listConnectors: bind(tools, listConnectors),
    showConnector: bind(tools, showConnector),
    createConnector: bind(tools, createConnector),
    changeConnector: bind(tools, changeConnector),
    deleteConnector: bind(tools, deleteConnector),
    listGrants: bind(tools, listGrants),
    connectGrant: bind(tools, connectGrant),
    connectAccount: bind(tools, connectAccount),
    changeGrant: bind(tools, changeGrant),
    removeGrant: bind(tools, removeGrant),
    issueToken: bind(tools, issueToken),
    revokeToken: bind(tools, revokeToken),
    describeToken: bind(tools, describeToken),
    listCalendars: bind(tools, listCalendars),
    showCalendar: bind(tools, showCalendar),
    createCalendar: bind(tools, createCalendar),
    changeCalendar: bind(tools, changeCalendar),
    deleteCalendar: bind(tools, deleteCalendar),
    listEventsBetween: bind(tools, listEventsBetween),
    listEventRows: bind(tools, listEventRows),
    showEvent: bind(tools, showEvent),
    createEvent: bind(tools, createEvent),
    changeEvent: bind(tools, changeEvent),
    deleteEvent: bind(tools, deleteEvent),
    answerInvitation: bind(tools, answerInvitation),
    freeBusy: bind(tools, freeBusy),
    findDueCalendars: bind(tools, findDueCalendars),
    syncCalendar: bind(tools, syncCalendar),
    calendarAvailability: bind(tools, calendarAvailability),
    createConfiguration: bind(tools, createConfiguration),
    readConfigurations: bind(tools, readConfigurations),
    readConfigurationDocument: bind(tools, readConfigurationDocument),
    changeConfiguration: bind(tools, changeConfiguration),
    deleteConfiguration: bind(tools, deleteConfiguration),
    createSession: bind(tools, createSession),
    endSession: bind(tools, endSession),
    readUiSettings: bind(tools, readUiSettings),
    openBookingPage: bind(tools, openBookingPage),
    findFrameOrigins: bind(tools, findFrameOrigins),
    readLogo: bind(tools, readLogo),
    openLinkPage: bind(tools, openLinkPage),
    findRedirect: bind(tools, findRedirect),
    findSlots: bind(tools, findSlots),
    createBooking: bind(tools, createBooking),
    wantsProofOfWork: bind(tools, wantsProofOfWork),
    readBooking: bind(tools, readBooking),
    readBookings: bind(tools, readBookings),
    rescheduleBooking: bind(tools, rescheduleBooking),
    confirmBooking: bind(tools, confirmBooking),
    cancelBooking: bind(tools, cancelBooking),
    recoverBooking: bind(tools, recoverBooking),
    loseCalendar: bind(tools, loseCalendar),
    exportGuest: bind(tools, exportGuest),
    eraseGuest: bind(tools, eraseGuest),
    listMails: bind(tools, listMails),
    showMail: bind(tools, showMail),
    sendMailAgain: bind(tools, sendMailAgain),
    sendMail: bind(tools, sendMail),
    arrangeReminders: bind(tools, arrangeReminders),
    sendReminder: bind(tools, sendReminder),
    listEndpoints: bind(tools, listEndpoints),
    showEndpoint: bind(tools, showEndpoint),
    createEndpoint: bind(tools, createEndpoint),
    changeEndpoint: bind(tools, changeEndpoint),
    deleteEndpoint: bind(tools, deleteEndpoint),
    rotateEndpointSecret: bind(tools, rotateEndpointSecret),
    mockPayload: bind(tools, mockPayload),
    sendTestNotification: bind(tools, sendTestNotification),
    listEndpointDeliveries: bind(tools, listEndpointDeliveries),
    listBookingDeliveries: bind(tools, listBookingDeliveries),
    replayDelivery: bind(tools, replayDelivery),
    replayRange: bind(tools, replayRange),
    continueReplay: bind(tools, continueReplay),
    readEventsFeed: bind(tools, readEventsFeed),
    fanOutNotifications: bind(tools, fanOutNotifications),
    deliverWebhooks: bind(tools, deliverWebhooks),
    findUnsent: bind(tools, findUnsent),
    reviveEndpoints: bind(tools, reviveEndpoints),
    sweep: bind(tools, sweep),
  }
}

function bind<Command extends unknown[], Value>(
  tools: Tools,
  operation: (tools: Tools, ...command: Command) => Promise<Result<Value>>,
): (...command: Command) => Promise<Result<Value>> {
  return async (...command) => {
    try {
      return await operation(tools, ...command)
    } catch (error) {
      if (!(error instanceof DatabaseUnavailable || error instanceof CommitUnknown)) throw error
      tools.onUnavailable(error)
      return failure({
        kind: 'unavailable',
        message: 'The service is briefly unavailable; please try again.',
        retryAfterSeconds: 2,
      })
    }
  }
}
