// The entry: reads the environment and hands over to the command that was asked for.
import { runCommand } from './cli/commands.ts'

process.exitCode = await runCommand(process.argv.slice(2), process.env)
