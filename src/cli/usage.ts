// How to use the command line, as text.
import { type Command, commonOptions } from './command.ts'

export function describeAll(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => synopsis(command).length))
  const lines = commands.map((command) => `  ${synopsis(command).padEnd(width)}  ${command.meaning}`)
  return [
    'usage: openslot <command> [options]',
    '',
    ...lines,
    '',
    '  --json on every command answers with JSON; openslot <command> --help tells more; openslot --version',
    '  Settings come from the environment: see docs/configuration.md.',
    '',
  ].join('\n')
}

export function describeCommand(command: Command): string {
  const options = Object.entries({ ...command.options, ...commonOptions }).map(
    ([name, option]) => [`--${name}${option.value === undefined ? '' : ` ${option.value}`}`, option.meaning] as const,
  )
  const width = Math.max(...options.map(([name]) => name.length))
  return [
    `usage: openslot ${synopsis(command)} [options]`,
    '',
    `  ${command.meaning}`,
    '',
    ...options.map(([name, meaning]) => `  ${name.padEnd(width)}  ${meaning}`),
    '',
  ].join('\n')
}

function synopsis({ name, operands = [], options = {}, required = [] }: Command): string {
  return [name, ...operands, ...required.map((option) => `--${option} ${options[option]?.value ?? ''}`)].join(' ')
}
