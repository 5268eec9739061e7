// The entry: reads the environment and hands over to the command that was asked for.
import { homedir } from 'node:os'

// Before anything else is loaded: packages ask for the home folder while they load.
if (!hasHome()) process.env.HOME = '/'
const { runCommand } = await import('./cli/commands.ts')

process.exitCode = await runCommand(process.argv.slice(2), process.env)

/** A user id without an entry in /etc/passwd has none, as a container may be given one. */
function hasHome(): boolean {
  try {
    homedir()
    return true
  } catch {
    // That there is no such user is all it can say.
    return false
  }
}
