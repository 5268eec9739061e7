/**
 * Cyrus (Debian's `cyrus-caldav`) on loopback: somebody else's calendars. They are read and written over CalDAV, they take
 * invitations by mail (LMTP, where a Sieve script puts them into the calendar), and they invite by mail themselves.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

import { createTransport } from 'nodemailer'

import { installDebianPackages } from '../debian.ts'

const run = promisify(execFile)

export type CyrusUser = {
  readonly name: string
  readonly password: string
  readonly email: string
  /** The collection of the user's default calendar. */
  readonly calendarUrl: string
}

export type Cyrus = {
  /** What one gives to a CalDAV client; discovery starts here. */
  readonly url: string
  readonly users: readonly CyrusUser[]
  /** Of that name. */
  user(name: string): CyrusUser
  /** Hands a mail over as it is; invitations in it come into the calendars of the addressees before this ends. */
  deliver(mail: { readonly from: string; readonly to: readonly string[]; readonly raw: string | Buffer }): Promise<void>
  /** The iCalendar texts of all objects in the user's default calendar. */
  readCalendar(user: CyrusUser): Promise<string[]>
  stop(): Promise<void>
}

export type CyrusOptions = {
  /** Each user's password is the name with `-pw`. */
  readonly users?: readonly string[]
  /** The part after the `@` of all users. */
  readonly domain?: string
  /** Where invitations to addresses of other domains are sent: `smtp://host:port`. Absent: nobody listens. */
  readonly smtpUrl?: string
  /** Under which its files lie; the system's temporary folder. */
  readonly folder?: string | undefined
}

const packages = ['cyrus-caldav', 'cyrus-imapd', 'sasl2-bin', 'libsasl2-modules', 'libsasl2-modules-db']

/** Its files lie in a temporary folder and its processes end with it, or with this process. Needs root, as Cyrus has a user of its own. */
export async function startCyrus(options: CyrusOptions = {}): Promise<Cyrus> {
  await installDebianPackages(packages)
  try {
    return await startOnce(options)
  } catch {
    // A port that was free may be somebody's by now, and a first mail has been seen to find nobody for 20 s.
    return startOnce(options)
  }
}

async function startOnce(options: CyrusOptions): Promise<Cyrus> {
  const { users: names = ['alice', 'bob'], domain = 'example.com', smtpUrl = 'smtp://127.0.0.1:9' } = options
  const folder = mkdtempSync(join(options.folder ?? tmpdir(), 'openslot-cyrus-'))
  const httpPort = await freePort()
  const lmtpPort = await freePort()
  const url = `http://127.0.0.1:${httpPort}/dav/`
  const users = names.map((name) => ({
    name,
    password: `${name}-pw`,
    email: `${name}@${domain}`,
    calendarUrl: `${url}calendars/user/${name}/Default/`,
  }))
  for (const made of ['lib/db', 'lib/socket', 'lib/sieve', 'spool', 'run/proc', 'run/lock'])
    mkdirSync(join(folder, made), { recursive: true })
  writeFileSync(join(folder, 'imapd.conf'), settings(folder, domain, smtpUrl))
  writeFileSync(join(folder, 'cyrus.conf'), services(folder, httpPort, lmtpPort))
  for (const { name, password } of users) await setPassword(folder, name, password)
  await run('chown', ['--recursive', 'cyrus:mail', folder])
  const process = startMaster(folder)
  const stop = async () => {
    await end(process)
    rmSync(folder, { recursive: true, force: true })
  }
  const mail = createTransport({
    lmtp: true,
    host: '127.0.0.1',
    port: lmtpPort,
    ignoreTLS: true,
    socketTimeout: 20_000,
  })
  const deliver: Cyrus['deliver'] = async ({ from, to, raw }) => {
    const { rejected } = await mail.sendMail({ envelope: { from, to: [...to] }, raw })
    if (rejected.length > 0) throw new Error(`Cyrus refused ${rejected.join(', ')}`)
  }
  try {
    await untilOpen(process, lmtpPort, folder)
    for (const user of users) {
      // The first mail makes the mailbox, without which there is no calendar and no script.
      await deliver({
        from: user.email,
        to: [user.email],
        raw: `From: ${user.email}\r\nSubject: welcome\r\n\r\nwelcome\r\n`,
      })
      await takeInvitations(join(folder, 'run/sieve'), user)
      // Looked at for the first time, the calendars are made.
      const home = await fetch(`${url}calendars/user/${user.name}/`, { method: 'PROPFIND', headers: signedIn(user) })
      if (home.status !== 207) throw new Error(`Cyrus has no calendars of ${user.name}: ${home.status}`)
    }
  } catch (cause) {
    await stop()
    throw cause
  }
  return {
    url,
    users,
    user: (name) => {
      const user = users.find((one) => one.name === name)
      if (user === undefined) throw new Error(`Cyrus was started without ${name}`)
      return user
    },
    deliver,
    readCalendar,
    stop,
  }
}

function settings(folder: string, domain: string, smtpUrl: string): string {
  return `configdirectory: ${folder}/lib
defaultpartition: default
partition-default: ${folder}/spool
proc_path: ${folder}/run/proc
mboxname_lockpath: ${folder}/run/lock
lmtpsocket: ${folder}/run/lmtp
idlesocket: ${folder}/run/idle
notifysocket: ${folder}/run/notify
duplicate_db_path: ${folder}/run/deliver.db
admins: cyrus
altnamespace: yes
unixhierarchysep: yes
virtdomains: off
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: ${folder}/sasldb2
sasl_mech_list: PLAIN LOGIN
allowplaintext: yes
autocreate_quota: 0
autocreate_post: yes
httpmodules: caldav freebusy
httpallowcompress: no
caldav_allowscheduling: on
caldav_create_default: yes
caldav_create_attach: no
caldav_create_sched: yes
calendar_user_address_set: ${domain}
servername: localhost
smtp_backend: host
smtp_host: ${new URL(smtpUrl).host}/noauth
sievedir: ${folder}/lib/sieve
sieve_extensions: vnd.cyrus.imip
`
}

function services(folder: string, httpPort: number, lmtpPort: number): string {
  const service = (name: string, command: string, listen: string) =>
    `  ${name} cmd="${command} -C ${folder}/imapd.conf" listen="${listen}" prefork=0 maxchild=40\n`
  return `START {
  recover cmd="/usr/sbin/cyrus ctl_cyrusdb -C ${folder}/imapd.conf -r"
}
SERVICES {
${service('http', 'httpd', `127.0.0.1:${httpPort}`)}${service('lmtp', 'lmtpd -a', `127.0.0.1:${lmtpPort}`)}${service('sieve', 'timsieved', `${folder}/run/sieve`)}}
EVENTS {
  checkpoint cmd="/usr/sbin/cyrus ctl_cyrusdb -C ${folder}/imapd.conf -c" period=30
}
`
}

async function setPassword(folder: string, name: string, password: string): Promise<void> {
  const done = run('saslpasswd2', ['-p', '-c', '-f', join(folder, 'sasldb2'), '-u', 'localhost', name])
  done.child.stdin?.end(password)
  await done
}

/** A process tree of its own, told to end when this process does, however it ends. */
function startMaster(folder: string): ChildProcess {
  const log = openSync(join(folder, 'log'), 'a')
  const words = ['-C', join(folder, 'imapd.conf'), '-M', join(folder, 'cyrus.conf'), '-p', join(folder, 'master.lock')]
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', '/usr/lib/cyrus/bin/master', ...words], {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: folder,
  })
  child.once('error', (cause) => appendFileSync(log, String(cause)))
  child.once('exit', () => closeSync(log))
  return child
}

async function end(child: ChildProcess): Promise<void> {
  const { pid } = child
  if (pid === undefined) return
  const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
  const signal = (name: NodeJS.Signals) => {
    try {
      process.kill(-pid, name)
    } catch (cause) {
      // All of them are gone already.
      if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause
    }
  }
  signal('SIGTERM')
  if (ended !== undefined) await Promise.race([ended, sleep(5_000, undefined, { ref: false })])
  signal('SIGKILL')
  await ended
}

async function untilOpen(child: ChildProcess, port: number, folder: string): Promise<void> {
  const deadline = Date.now() + 30_000
  while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      return
    } catch {
      await sleep(20)
    } finally {
      socket.destroy()
    }
  }
  throw new Error(`Cyrus did not start: ${readFileSync(join(folder, 'log'), 'utf8')}`)
}

/** ManageSieve (RFC 5804): from now on invitations in the user's mail come into the calendar, and what is cancelled leaves it. */
async function takeInvitations(socketPath: string, { name, password }: CyrusUser): Promise<void> {
  const script = 'require "vnd.cyrus.imip";\r\nprocessimip :deletecanceled;\r\n'
  const socket: Socket = connect(socketPath)
  const answers = createInterface({ input: socket })[Symbol.asyncIterator]()
  const answer = async () => {
    for (;;) {
      const { value, done } = await answers.next()
      if (done || /^(NO|BYE)\b/.test(value)) throw new Error(`Cyrus took no script of ${name}: ${value}`)
      if (/^OK\b/.test(value)) return
    }
  }
  try {
    await answer()
    for (const command of [
      `AUTHENTICATE "PLAIN" "${Buffer.from(`\0${name}\0${password}`).toString('base64')}"`,
      `PUTSCRIPT "invitations" {${script.length}+}\r\n${script}`,
      'SETACTIVE "invitations"',
    ]) {
      socket.write(`${command}\r\n`)
      await answer()
    }
  } finally {
    socket.destroy()
  }
}

async function readCalendar(user: CyrusUser): Promise<string[]> {
  const query = `<c:calendar-query xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:d="DAV:"><d:prop><c:calendar-data/></d:prop><c:filter><c:comp-filter name="VCALENDAR"/></c:filter></c:calendar-query>`
  const response = await fetch(user.calendarUrl, {
    method: 'REPORT',
    headers: { ...signedIn(user), depth: '1', 'content-type': 'application/xml' },
    body: query,
  })
  const text = await response.text()
  if (response.status !== 207) throw new Error(`Cyrus: ${response.status} ${text}`)
  return [...text.matchAll(/BEGIN:VCALENDAR[\s\S]*?END:VCALENDAR/g)].map(([object]) => object)
}

function signedIn({ name, password }: CyrusUser): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` }
}

/** Free at this moment, which is as much as can be had for a program that is told its ports. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((closed) => server.close(closed))
  return port
}
