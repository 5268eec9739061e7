// CalDAV accounts: iCloud, and any other server. What it takes to speak with them is loaded with the first account.
import type { AccountProvider } from '../accountProvider.ts'
import type { CaldavOptions, CaldavQuestions } from './accounts.ts'

/** Parsers and the table of domains take 20 MB, which a server without such an account need not carry. */
export function caldavAccounts(options: CaldavOptions): AccountProvider {
  let opened: Promise<CaldavQuestions> | undefined
  const open = () => {
    opened ??= import('./accounts.ts').then(({ openAccounts }) => openAccounts(options))
    return opened
  }
  return {
    capabilities: { invites: true, conferencing: false, push: false },
    connect: async (...question) => (await open()).connect(...question),
    relocate: async (...question) => (await open()).relocate(...question),
    listCalendars: async (...question) => (await open()).listCalendars(...question),
    freeBusy: async (...question) => (await open()).freeBusy(...question),
    readChanges: async (...question) => (await open()).readChanges(...question),
    place: async (...question) => (await open()).place(...question),
    find: async (...question) => (await open()).find(...question),
    remove: async (...question) => (await open()).remove(...question),
    bringBack: async (...question) => (await open()).bringBack(...question),
  }
}
