/** DAViCal (PHP and PostgreSQL): it invites users of its own, gives no ETag for events with guests, and answers any sync token. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, run, startDaemon } from '../daemon.ts'
import { installDebianPackages } from '../debian.ts'
import type { CaldavServer } from './caldavServer.ts'

/** Users are `name`, password `name-pw`, address `name@example.com`. Needs root: its PostgreSQL has a user of its own. */
export async function startDavical(names: readonly string[]): Promise<CaldavServer> {
  await installDebianPackages(['davical', 'postgresql', 'php-cli', 'php-pgsql', 'php-xml', 'php-curl'])
  const folder = mkdtempSync(join(tmpdir(), 'openslot-davical-'))
  chmodSync(folder, 0o755)
  const socket = join(folder, 'socket')
  for (const made of ['socket', 'root', 'postgres']) mkdirSync(join(folder, made))
  const versions = readdirSync('/usr/lib/postgresql').toSorted((a, b) => Number(a) - Number(b))
  const programs = `/usr/lib/postgresql/${versions.at(-1)}/bin`
  await must('chown', ['postgres', socket, join(folder, 'postgres')])
  const asPostgres = (program: string, ...parameters: string[]) =>
    must('runuser', ['-u', 'postgres', '--', program, ...parameters])
  const cluster = join(folder, 'postgres')
  await asPostgres(`${programs}/initdb`, '-D', cluster, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync')
  const settings = `-k ${socket} -c listen_addresses= -c fsync=off -c max_connections=60`
  await asPostgres(`${programs}/pg_ctl`, '-D', cluster, '-w', '-l', join(cluster, 'log'), '-o', settings, 'start')
  const stopDatabase = () => asPostgres(`${programs}/pg_ctl`, '-D', cluster, '-m', 'immediate', '-w', 'stop')
  try {
    const environment = { PGHOST: socket, PGUSER: 'postgres', USER: 'postgres' }
    await must('bash', ['-c', 'cd /usr/share/davical/dba && bash ./create-database.sh davical admin-pw'], {
      environment,
    })
    await must('psql', ['-qtA', '-v', 'ON_ERROR_STOP=1', 'davical'], {
      environment,
      input: names.map(userSql).join(''),
    })
    const port = await freePort()
    writeFileSync(join(folder, 'root/davical-conf.php'), configuration(socket))
    writeFileSync(join(folder, 'root/router.php'), router(folder))
    const words = ['-d', 'variables_order=EGPCS', '-d', 'display_errors=0', '-d', 'error_reporting=22527']
    const daemon = await startDaemon(
      'php',
      [...words, '-S', `127.0.0.1:${port}`, '-t', '/usr/share/davical/htdocs', join(folder, 'root/router.php')],
      { port, log: join(folder, 'php.log'), environment: { PHP_CLI_SERVER_WORKERS: '4' } },
    )
    const url = `http://127.0.0.1:${port}/caldav.php/`
    return {
      name: 'DAViCal',
      url,
      users: names.map((username) => ({
        username,
        password: `${username}-pw`,
        email: `${username}@example.com`,
        calendar: `${url}${username}/calendar/`,
      })),
      stop: async () => {
        await daemon.stop()
        await stopDatabase()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  } catch (cause) {
    await stopDatabase()
    throw cause
  }
}

async function must(...words: Parameters<typeof run>): Promise<void> {
  const { code, output } = await run(...words)
  if (code !== 0) throw new Error(`${words[0]} ${words[1].join(' ')} ended with ${code}: ${output.slice(-2_000)}`)
}

function userSql(name: string): string {
  return `
begin;
insert into usr (username, password, fullname, email, active, locale) values ('${name}', '**${name}-pw', '${name}', '${name}@example.com', true, 'en_GB');
insert into principal (type_id, user_no, displayname, default_privileges)
  select 1, user_no, fullname, privilege_to_bits(array['read-free-busy', 'schedule-deliver']) from usr where username = '${name}';
insert into collection (user_no, parent_container, dav_name, dav_etag, dav_displayname, is_calendar, is_addressbook, resourcetypes, created, modified)
  select user_no, '/${name}/', '/${name}/calendar/', md5(username), 'Calendar', true, false, '<DAV::collection/><urn:ietf:params:xml:ns:caldav:calendar/>', now(), now()
  from usr where username = '${name}';
commit;
`
}

function configuration(socket: string): string {
  return `<?php
$_SERVER['SERVER_NAME'] = '127.0.0.1';
$c->pg_connect[] = "host=${socket} dbname=davical user=davical_app";
$c->domain_name = '127.0.0.1';
$c->sysabbr = 'davical';
$c->admin_email = 'admin@example.com';
$c->enable_auto_schedule = true;
$c->default_locale = 'en_GB';
`
}

/** Everything goes to caldav.php, as the documented rewrite rule does; the name of the server leads DAViCal to our configuration. */
function router(folder: string): string {
  return `<?php
$_SERVER['SERVER_NAME'] = '../..${folder}/root/davical';
$h = '/usr/share/davical/htdocs';
set_include_path("$h/../inc:/usr/share/awl/inc:" . get_include_path());
$p = rawurldecode(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
if (preg_match('#^/caldav\\.php(/.*)?$#', $p, $m)) $p = $m[1] ?? '/';
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = '/caldav.php'; $_SERVER['PATH_INFO'] = $p; $_SERVER['SCRIPT_FILENAME'] = "$h/caldav.php";
chdir($h); require "$h/caldav.php"; return true;
`
}
