// Commands on mails: which there are, what one says, and another try.
import { type Command, UsageError } from './command.ts'
import { applicationOption, findApplication, unwrap, withApp } from './withApp.ts'

const states = { waiting: 'waiting', sent: 'sent', failed: 'failed', held_back: 'heldBack', kept: 'kept' } as const
const shown = 50

const listCommand: Command = {
  name: 'mail list',
  isAboutData: true,
  meaning: 'List the newest mails, sent or not',
  options: {
    app: applicationOption,
    state: { type: 'string', value: 'STATE', meaning: `only those: ${Object.keys(states).join(', ')}` },
    recipient: { type: 'string', value: 'ADDRESS', meaning: 'only those to this address' },
  },
  run: async ({ config, options }) => {
    const { state } = options
    if (typeof state === 'string' && !Object.hasOwn(states, state))
      throw new UsageError(`--state must be one of ${Object.keys(states).join(', ')}.`)
    return withApp(config, async (operations) => {
      const appId = await findApplication(operations, options)
      const { mails } = unwrap(
        await operations.listMails(appId, {
          limit: shown,
          state: typeof state === 'string' ? states[state as keyof typeof states] : undefined,
          recipient: typeof options.recipient === 'string' ? options.recipient : undefined,
        }),
      )
      const line = (mail: (typeof mails)[number]) =>
        [
          mail.id,
          new Date(mail.created_at * 1_000).toISOString(),
          mail.state.padEnd(9),
          mail.to.email,
          mail.subject,
          ...(mail.last_error === null ? [] : [`(${mail.last_error})`]),
        ].join('  ')
      return { json: mails, text: mails.map(line).join('\n') || 'There is no such mail.' }
    })
  },
}

const showCommand: Command = {
  name: 'mail show',
  isAboutData: true,
  meaning: 'Show a mail as its reader gets it, and every attempt to send it',
  operands: ['ID'],
  options: { app: applicationOption },
  run: ({ config, operands, options }) =>
    withApp(config, async (operations) => {
      const appId = await findApplication(operations, options)
      const mail = unwrap(await operations.showMail(appId, operands.ID ?? ''))
      const address = ({ name, email }: { name: string; email: string }) => (name === '' ? email : `${name} <${email}>`)
      return {
        json: mail,
        text: [
          `From: ${address(mail.from)}`,
          `Reply-To: ${address(mail.reply_to)}`,
          `To: ${address(mail.to)}`,
          `Subject: ${mail.subject}`,
          `Message-ID: <${mail.message_id}>`,
          `State: ${mail.state}${mail.last_error === null ? '' : ` (${mail.last_error})`}`,
          ...mail.tries.map(
            (attempt) => `Attempt: ${new Date(attempt.at * 1_000).toISOString()} ${attempt.outcome}: ${attempt.answer}`,
          ),
          '',
          mail.text,
          ...(mail.invitation === null ? [] : [mail.invitation]),
        ].join('\n'),
      }
    }),
}

const sendCommand: Command = {
  name: 'mail send',
  isAboutData: true,
  meaning: 'Send a mail again, whatever became of it; a running server does it',
  operands: ['ID'],
  options: { app: applicationOption },
  run: ({ config, operands, options }) =>
    withApp(config, async (operations) => {
      unwrap(await operations.sendMailAgain(await findApplication(operations, options), operands.ID ?? ''))
      return { json: { mail_id: operands.ID, waiting: true }, text: `Mail ${operands.ID} is due again.` }
    }),
}

export const mailCommands: readonly Command[] = [listCommand, showCommand, sendCommand]
