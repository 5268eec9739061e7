/** A real SMTP server on loopback that takes mails, or fails in the way it is told, and reads what came with a library that we do not write mails with. */
import type { AddressInfo } from 'node:net'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer } from 'smtp-server'

export type ReceivedMail = Email & {
  readonly recipient: string
  /** As it came over the wire. */
  readonly raw: string
  /** The `text/calendar` part, which mail programs act on; undefined without an invitation. */
  readonly calendar: string | undefined
  /** The same as a file, byte for byte. */
  readonly calendarFile: string | undefined
}

type Refusal = { readonly code: number; readonly text: string }

/** Before a word is said, when a recipient was named, or when a message is here whole and not answered for. */
export type SilentStep = 'greeting' | 'recipient' | 'message'

export type TestSmtp = {
  readonly url: string
  readonly received: ReceivedMail[]
  /** Every RCPT TO from now on that `which` accepts meets this answer; the last rule wins; undefined takes rules away. */
  refuse(which: ((recipient: string) => boolean) | undefined, refusal?: Refusal): void
  /** The next messages are taken to their end, and then the connection is cut instead of an answer. */
  dropAfterData(times: number): void
  /** From now on the server falls silent at this step of every message, after `reached` has been called; undefined: no more. */
  fallSilent(step: SilentStep | undefined, reached?: () => void): void
  /** Called and waited for before a message that was taken is answered. */
  beforeAnswer: (() => Promise<void>) | undefined
  /** Closes the port; the messages received stay. */
  goAway(): Promise<void>
  /** Opens the same port again. */
  comeBack(): Promise<void>
  close(): Promise<void>
}

export async function startSmtp(): Promise<TestSmtp> {
  const received: ReceivedMail[] = []
  let rule: { which: (recipient: string) => boolean; refusal: Refusal } | undefined
  let drops = 0
  let silence: { readonly step: SilentStep; readonly reached: () => void } | undefined
  const isSilentAt = (step: SilentStep) => {
    if (silence?.step !== step) return false
    silence.reached()
    return true
  }
  let port = 0
  let server = await listen()

  async function listen(): Promise<SMTPServer> {
    const made = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS', 'AUTH'],
      disableReverseLookup: true,
      closeTimeout: 100,
      logger: false,
      onConnect: (_session, done) => {
        if (!isSilentAt('greeting')) done()
      },
      onRcptTo: ({ address }, _session, done) => {
        if (isSilentAt('recipient')) return
        if (rule?.which(address)) return done(refusalError(rule.refusal))
        return done()
      },
      onData: (stream, session, done) => {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          void keep(
            Buffer.concat(chunks),
            session.envelope.rcptTo.map(({ address }) => address),
          ).then(async () => {
            if (isSilentAt('message')) return
            await smtp.beforeAnswer?.()
            if (drops === 0) return done()
            drops--
            for (const connection of made.connections) connection._socket.destroy()
          })
        })
      },
    })
    made.on('error', () => {})
    await new Promise<void>((resolve) => made.listen(port, '127.0.0.1', () => resolve()))
    port = (made.server.address() as AddressInfo).port
    return made
  }

  async function keep(bytes: Buffer, recipients: readonly string[]): Promise<void> {
    const raw = bytes.toString('utf8')
    const email = await PostalMime.parse(bytes)
    const part = email.attachments.find(({ mimeType }) => mimeType === 'text/calendar')?.content
    const calendar = part === undefined || typeof part === 'string' ? part : new TextDecoder().decode(part)
    // The library makes one kind of line break of all; here they count.
    const file = /content-type: application\/ics[\s\S]*?\r\n\r\n([A-Za-z0-9+/=\s]+)/i.exec(raw)?.[1]
    const calendarFile = file && Buffer.from(file, 'base64').toString('utf8')
    for (const recipient of recipients) received.push({ ...email, recipient, raw, calendar, calendarFile })
  }

  const close = () =>
    new Promise<void>((resolve) => {
      for (const connection of server.connections) connection._socket.destroy()
      server.close(() => resolve())
    })
  const smtp: TestSmtp = {
    url: `smtp://127.0.0.1:${port}`,
    received,
    refuse: (which, refusal = { code: 550, text: 'no such person' }) => {
      rule = which && { which, refusal }
    },
    fallSilent: (step, reached = () => {}) => {
      silence = step && { step, reached }
    },
    beforeAnswer: undefined,
    dropAfterData: (times) => {
      drops = times
    },
    goAway: close,
    comeBack: async () => {
      server = await listen()
    },
    close,
  }
  return smtp
}

function refusalError({ code, text }: Refusal): Error {
  return Object.assign(new Error(text), { responseCode: code })
}
