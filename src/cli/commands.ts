// The door that a person at a terminal opens: every command by name, and what it says when something is wrong.
import { explain } from './explain.ts'
import { start } from './start.ts'

/** Runs one command; answers the exit code: 0 done, 1 failed (said why on stderr), 2 not understood. */
export async function runCommand(
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  try {
    if (words[0] !== 'start') {
      process.stderr.write('usage: openslot start\n')
      return 2
    }
    return await start(environment)
  } catch (error) {
    process.stderr.write(`openslot: ${explain(error)}\n`)
    return 1
  }
}
