/** Radicale (Python, files): a small CalDAV server without scheduling and, as Debian has it, without free/busy reports. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, startDaemon } from '../daemon.ts'
import { installDebianPackages } from '../debian.ts'
import { ask, type CaldavServer } from './caldavServer.ts'

/** Users are `name`, password `name-pw`, address `name@example.com`. */
export async function startRadicale(names: readonly string[]): Promise<CaldavServer> {
  await installDebianPackages(['radicale'])
  const folder = mkdtempSync(join(tmpdir(), 'openslot-radicale-'))
  chmodSync(folder, 0o755)
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/`
  const users = names.map((username) => ({
    username,
    password: `${username}-pw`,
    email: `${username}@example.com`,
    calendar: `${url}${username}/main/`,
  }))
  writeFileSync(join(folder, 'users'), users.map((user) => `${user.username}:${user.password}\n`).join(''))
  writeFileSync(
    join(folder, 'config'),
    `[server]
hosts = 127.0.0.1:${port}
max_connections = 40
[auth]
type = htpasswd
htpasswd_filename = ${folder}/users
htpasswd_encryption = plain
delay = 0
[rights]
type = owner_only
[storage]
type = multifilesystem
filesystem_folder = ${folder}/collections
[logging]
level = warning
`,
  )
  const daemon = await startDaemon('radicale', ['--config', join(folder, 'config')], {
    port,
    log: join(folder, 'radicale.log'),
  })
  for (const user of users) {
    const { status } = await ask(user, 'MKCALENDAR', user.calendar, {
      body: `<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop><D:displayname>Main</D:displayname></D:prop></D:set></C:mkcalendar>`,
    })
    if (status !== 201) throw new Error(`Radicale made no calendar: ${status}`)
  }
  return {
    name: 'Radicale',
    url,
    users,
    stop: async () => {
      await daemon.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
