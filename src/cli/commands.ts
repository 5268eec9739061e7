// The door that a person at a terminal opens: every command by name, and what it says when something is wrong.
import { resolve } from 'node:path'

import { hasEmbeddedDatabase } from '../adapters/storage/embedded/place.ts'
import { type Config, loadConfig } from '../config.ts'
import { readVersion } from '../installation.ts'
import { accountCommands } from './accounts.ts'
import { auditCommand } from './audit.ts'
import { type Command, type Environment, parseWords, UsageError } from './command.ts'
import { doctorCommand } from './doctor.ts'
import { explain } from './explain.ts'
import { guestCommands } from './guests.ts'
import { mailCommands } from './mail.ts'
import { startCommand } from './start.ts'
import { upkeepCommands } from './upkeep.ts'
import { describeAll, describeCommand } from './usage.ts'

const commands: readonly Command[] = [
  startCommand,
  ...accountCommands,
  ...mailCommands,
  ...guestCommands,
  auditCommand,
  ...upkeepCommands,
  doctorCommand,
]

/** Runs one command; answers the exit code: 0 done, 1 failed (said why on stderr), 2 not understood. */
export async function runCommand(words: readonly string[], environment: Environment): Promise<number> {
  if (words[0] === '--version') return say(`${readVersion()}\n`)
  if (words[0] === '--help' || words[0] === 'help') return say(describeAll(commands))
  const command = commands.find(({ name }) => name.split(' ').every((word, index) => words[index] === word))
  if (command === undefined) return complain(words)
  try {
    return await run(command, words.slice(command.name.split(' ').length), environment)
  } catch (error) {
    process.stderr.write(`openslot: ${explain(error)}\n`)
    if (!(error instanceof UsageError)) return 1
    process.stderr.write(`\n${describeCommand(command)}`)
    return 2
  }
}

/** One word of two leads to those that begin with it. */
function complain(words: readonly string[]): number {
  const [first = ''] = words
  const family = commands.filter(({ name }) => name.startsWith(`${first} `))
  if (family.length > 0 && words[1] === '--help') return say(describeAll(family))
  const complaint = words.length === 0 ? '' : `openslot: there is no command "${words.slice(0, 2).join(' ')}".\n\n`
  process.stderr.write(`${complaint}${describeAll(family.length > 0 ? family : commands)}`)
  return 2
}

/** In another folder than the server's a command would find an empty database, which it had just made. */
function refuseElsewhere({ databaseUrl, dataDirectory }: Config): void {
  if (databaseUrl !== undefined || hasEmbeddedDatabase(dataDirectory)) return
  throw new Error(
    `There is no database in ${resolve(dataDirectory)}. Go to where the server is started, or name its folder by DATA_DIR; "openslot start" makes a new one.`,
  )
}

async function run(command: Command, words: readonly string[], environment: Environment): Promise<number> {
  const { operands, options } = parseWords(command, words)
  if (options.help === true) return say(describeCommand(command))
  // A command that answers and ends speaks for itself; only the server tells what it does all along.
  const config = loadConfig(
    command === startCommand ? environment : { ...environment, LOG_LEVEL: environment.LOG_LEVEL || 'warn' },
  )
  if (command.isAboutData === true) refuseElsewhere(config)
  const progress = (line: string) => {
    if (options.json !== true) process.stderr.write(`${line}\n`)
  }
  const { json, text, exitCode = 0 } = await command.run({ config, operands, options, progress })
  if (options.json === true && json !== undefined) say(`${JSON.stringify(json)}\n`)
  else if (text !== '') say(`${text}\n`)
  return exitCode
}

function say(text: string): 0 {
  process.stdout.write(text)
  return 0
}
