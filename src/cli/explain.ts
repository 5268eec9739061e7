// What went wrong, in one plain sentence for the person at the terminal.
import { explainDamage, isDamage } from '../adapters/storage/damage.ts'

const byCode: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing answers at the address of DATABASE_URL; is PostgreSQL running there?',
  ENOTFOUND: 'The host of DATABASE_URL is not known.',
  EAI_AGAIN: 'The host of DATABASE_URL cannot be looked up right now.',
  ETIMEDOUT: 'The database at DATABASE_URL does not answer.',
  EHOSTUNREACH: 'The host of DATABASE_URL cannot be reached.',
  ECONNRESET: 'The database at DATABASE_URL broke off the connection.',
  ERR_INVALID_URL:
    'DATABASE_URL is not an address that can be read; characters like @ and / in a password are written as %40 and %2F.',
  '28P01': 'PostgreSQL does not accept the user and password of DATABASE_URL.',
  '28000': 'PostgreSQL does not accept the user of DATABASE_URL.',
  '3D000': 'The database that DATABASE_URL names does not exist; create it first.',
  '57P03': 'PostgreSQL is starting up or shutting down; try again in a moment.',
  '53100': "There is no space left on the database's disk; make room there.",
  '53300': 'PostgreSQL has no connection left; raise max_connections or start fewer servers.',
}

/** Without a stack trace, and never with a password: messages of PostgreSQL and Node name addresses and users only. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Storage says that the database is away; the cause says why.
  if (error.name === 'DatabaseUnavailable' && error.cause !== undefined) return explain(error.cause)
  const {
    code = '',
    address,
    port,
    path,
    syscall,
  } = error as Error & { code?: string; address?: string; port?: number; path?: string; syscall?: string }
  if (code === 'EADDRINUSE') return `Port ${port} on ${address} is already in use; stop what uses it, or set PORT.`
  if (code === 'EADDRNOTAVAIL') return `This machine has no address ${address}; set HOST.`
  if (code === 'EACCES' && port !== undefined)
    return `This user may not listen on port ${port}; set PORT to 1024 or more.`
  if (code === 'ENOSPC') return `There is no space left on the disk${path === undefined ? '' : ` for ${path}`}.`
  if (path !== undefined && code === 'ENOENT' && syscall === 'mkdir')
    return `No folder can be made at ${path}; set DATA_DIR to a place where one can.`
  if (path !== undefined && code === 'ENOENT') return `There is no folder for ${path}.`
  if (path !== undefined && /^E(ACCES|PERM|ROFS)$/.test(code)) return `This user may not write ${path}.`
  if (path !== undefined && /^E(EXIST|NOTDIR)$/.test(code))
    return `${path} is, or lies below, something that is no folder.`
  if (path !== undefined && code === 'EISDIR') return `${path} is a folder.`
  if (code === '42501') return `The user of DATABASE_URL lacks a right that OpenSlot needs: ${error.message}.`
  if (isDamage(error)) return explainDamage(error.message)
  const tls = explainTls(error.message, code)
  if (tls !== undefined) return tls
  if (error.message === 'timeout expired') return byCode.ETIMEDOUT ?? error.message
  return byCode[code] ?? (error.message || `${error.name} ${code}`)
}

/** On the way to a PostgreSQL on another machine, which is spoken to over TLS unless its address says otherwise. */
function explainTls(message: string, code: string): string | undefined {
  if (/^The server does not support SSL connections|^There was an error establishing an SSL connection/.test(message))
    return 'The database at DATABASE_URL does not speak TLS; switch it on there, or add ?sslmode=disable where the network in between is yours alone.'
  if (/CERT|^UNABLE_TO_(GET|VERIFY)|^ERR_TLS/.test(code))
    return `The certificate of the database at DATABASE_URL is not trusted (${message}); name its authority by ?sslmode=verify-full&sslrootcert=FILE.`
  return undefined
}
