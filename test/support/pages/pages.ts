/** A server with its pages built of the sources as they stand, and configurations for guests to open. */
import { makeConfiguration, makeHost, participant, type TestHost } from '../hosts.ts'
import { startTestServer, type TestServer } from '../server.ts'

export type PageServer = TestServer & { readonly host: TestHost; readonly hasOwnClock: boolean }

/** With a mail server that nobody has to reach, as pages speak of mails only where there is one. */
export async function startPageServer(
  now?: () => number,
  environment: Record<string, string> = { SMTP_URL: 'smtp://127.0.0.1:9', MAIL_FROM: 'book@host.example' },
): Promise<PageServer> {
  const server = await startTestServer(now === undefined ? {} : { now: now as never }, environment)
  const host = await makeHost(server, 'ada@host.example', 'Europe/Berlin')
  return { ...server, host, hasOwnClock: now !== undefined }
}

/** Minutes of notice that leave nothing of today, so that the first day on a page is as long at every hour a test may run at. */
export function noticeUntilTomorrow(): number {
  const dayMs = 86_400_000
  // A little into the day: what a page was given stays bookable while the test goes on.
  return Math.ceil((dayMs - (Date.now() % dayMs)) / 60_000) + 10
}

/** A configuration of Ada's, by id; from tomorrow on where the clock is everyone's, unless told otherwise. */
export function makePage(server: PageServer, options: Parameters<typeof makeConfiguration>[2] = {}): Promise<string> {
  return makeConfiguration(server, [server.host], {
    participants: [participant(server.host.email, { isOrganizer: true, name: 'Ada Host' })],
    ...options,
    scheduler: { min_booking_notice: server.hasOwnClock ? 0 : noticeUntilTomorrow(), ...options.scheduler },
  })
}
