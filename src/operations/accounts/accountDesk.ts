// What calls to accounts elsewhere need of the house: opened credentials, and a place to say that they are refused.
import type { AccountDesk } from '../../adapters/calendars/accountCalendars.ts'
import { expireAccount, openAccount, writeSettings } from '../../adapters/storage/accountSecrets.ts'
import { insertMails } from '../../adapters/storage/mails/rows.ts'
import { closeMirrors } from '../../adapters/storage/mirrorHealth.ts'
import { writeOwn } from '../../adapters/storage/mirrors.ts'
import { recordNotification } from '../../adapters/storage/outbox.ts'
import { accountNoticesOf } from '../../core/account/accountNotice.ts'
import { notFound, type Problem } from '../../core/problem.ts'
import { failure, success } from '../../core/result.ts'
import { grantNotification } from '../../wire/grants.ts'
import type { Tools } from '../tools.ts'

/** Opened anew for each call: a grant that is deleted or connected again is so at once, in every process. */
export function accountDesk({
  database,
  vault,
  mailer,
  now,
}: Pick<Tools, 'database' | 'vault' | 'mailer' | 'now'>): AccountDesk {
  return {
    async open(appId, grantId) {
      const opened = await openAccount(database, vault, appId, grantId)
      if (opened === undefined) return failure(notFound)
      const { grant, secret, timezones } = opened
      if (grant.status !== 'valid') return failure(notConnected)
      return success({ appId, grantId, email: grant.email, settings: grant.settings, secret, timezones })
    },

    async expired({ appId, grantId, secret }, reason) {
      await database.transaction(appId, async (transaction) => {
        const grant = await expireAccount(transaction, vault, grantId, secret)
        if (grant === undefined) return
        await closeMirrors(transaction, grantId, reason)
        await recordNotification(transaction, {
          trigger: 'grant.expired',
          objectId: grantId,
          grantId,
          body: grantNotification('grant.expired', grant, 'changed'),
        })
        const notices = accountNoticesOf(grant, reason, now()).map((mail) => ({ mail }))
        await insertMails(transaction, notices, mailer.isSending)
      })
    },

    async relocated({ appId, grantId, settings: before }, after) {
      // Where its owner connected it anew meanwhile, what they said stands.
      await database.transaction(appId, (transaction) => writeSettings(transaction, grantId, { before, after }))
    },

    async placed(appId, calendar, { id, when, item }) {
      await database.transaction(appId, (transaction) => writeOwn(transaction, calendar, id, item, when))
    },
  }
}

const notConnected: Problem = {
  kind: 'grantExpired',
  message: 'The account of this calendar must be connected anew.',
}
