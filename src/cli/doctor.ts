// `openslot doctor`: looks at everything that could be wrong and says it line by line.
import { existsSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'

import { findDatabaseFolder } from '../adapters/storage/embedded/place.ts'
import { examineInstallation } from '../app.ts'
import type { Config } from '../config.ts'
import { examined } from '../operations/upkeep/examine.ts'
import { type Command, UsageError } from './command.ts'
import { explain } from './explain.ts'

type Finding = Awaited<ReturnType<typeof examineInstallation>>[number]

/** What is looked at before the database. */
const outside = ['runtime', 'BASE_URL', 'data directory', 'disk'] as const
const names: readonly string[] = [...outside, ...examined]
type IsWanted = (name: string) => boolean

/** Exit code 1 where anything is not good. Changes nothing. */
export const doctorCommand: Command = {
  name: 'doctor',
  meaning: 'Look for what could be wrong with this installation',
  options: {
    only: { type: 'string', value: 'NAMES', meaning: `only some of: ${names.join(', ')}` },
  },
  run: async ({ config, options }) => {
    const isWanted = readNames(options.only)
    const findings = [
      ...[examineRuntime(), examineAddress(config), ...examineDirectory(config), ...examineDisk(config)].filter(
        ({ name }) => isWanted(name),
      ),
      ...(await examineDatabase(config, isWanted)),
    ]
    const isGood = findings.every((finding) => finding.isGood)
    return {
      json: { ok: isGood, findings: findings.map(({ name, isGood, message }) => ({ name, ok: isGood, message })) },
      text: findings.map((finding) => `${finding.isGood ? '✓' : '✗'} ${finding.name}: ${finding.message}`).join('\n'),
      exitCode: isGood ? 0 : 1,
    }
  },
}

function readNames(only: string | boolean | undefined): IsWanted {
  if (typeof only !== 'string') return () => true
  const wanted = only.split(',').map((name) => name.trim())
  const strange = wanted.find((name) => !names.includes(name))
  if (strange !== undefined) throw new UsageError(`--only takes ${names.join(', ')}; "${strange}" is none of them.`)
  return (name) => wanted.includes(name)
}

function examineRuntime(): Finding {
  const isGood = Number(process.versions.node.split('.')[0]) >= 26
  return {
    name: 'runtime',
    isGood,
    message: `Node ${process.versions.node}${isGood ? '' : '; 26 or newer is needed: run bin/openslot.mjs, which brings it'}`,
  }
}

function examineAddress({ baseUrl, host }: Config): Finding {
  const name = 'BASE_URL'
  const url = new URL(baseUrl)
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url.search !== '' || url.hash !== '' || url.username !== '')
    return { name, isGood: false, message: 'it must be an address without user, query or fragment' }
  if (!isLocal && url.protocol === 'http:')
    return { name, isGood: false, message: `${baseUrl} is not encrypted; guests' links need https` }
  if (isLocal && !['127.0.0.1', 'localhost', '::1'].includes(host))
    return {
      name,
      isGood: false,
      message: `HOST is ${host}, but links lead to ${baseUrl}, which only this machine can open`,
    }
  return { name, isGood: true, message: baseUrl }
}

function examineDirectory({ dataDirectory, databaseUrl, masterKey }: Config): Finding[] {
  if (databaseUrl !== undefined && masterKey !== undefined) return []
  const name = 'data directory'
  if (!existsSync(dataDirectory))
    return [{ name, isGood: false, message: `${dataDirectory} is not there yet; the first start makes it` }]
  const isRoot = process.getuid?.() === 0
  // Users pass through root's folder to the database below, and cannot list it.
  const allowed = isRoot ? 0o711 : 0o700
  const complaints = []
  if ((statSync(dataDirectory).mode & 0o777 & ~allowed) !== 0 && isWindows() === false)
    complaints.push(`other users can look into ${dataDirectory}; chmod ${allowed.toString(8)} it`)
  const keyFile = join(dataDirectory, 'master.key')
  if (existsSync(keyFile) && (statSync(keyFile).mode & 0o077) !== 0 && isWindows() === false)
    complaints.push(`other users can read ${keyFile}; chmod 600 it`)
  return [
    { name, isGood: complaints.length === 0, message: complaints.join('; ') || `${dataDirectory} is closed to others` },
  ]
}

const leastFreeMegabytes = 200

/** Of the embedded database; somebody else's is on another machine. */
function examineDisk({ dataDirectory, databaseUrl }: Config): Finding[] {
  const folder = databaseUrl === undefined ? findDatabaseFolder(dataDirectory) : undefined
  if (folder === undefined) return []
  const { bavail, bsize } = statfsSync(folder)
  const megabytes = Math.floor((bavail * bsize) / 1_000_000)
  const isGood = megabytes >= leastFreeMegabytes
  const message = `${megabytes} MB are free for ${folder}`
  return [
    {
      name: 'disk',
      isGood,
      message: isGood ? message : `${message}; make room: once it is full nothing can be booked`,
    },
  ]
}

function isWindows(): boolean {
  return process.platform === 'win32'
}

async function examineDatabase(config: Config, isWanted: IsWanted): Promise<Finding[]> {
  if (!examined.some(isWanted)) return []
  if (config.databaseUrl === undefined && !existsSync(config.dataDirectory))
    return isWanted('data directory')
      ? []
      : [{ name: 'database', isGood: false, message: 'there is none yet; the first start makes it' }]
  try {
    return await examineInstallation(config, isWanted)
  } catch (error) {
    return [{ name: 'database', isGood: false, message: explain(error) }]
  }
}
