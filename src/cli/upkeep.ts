// Commands that keep an installation well: migrate, backup, restore, rotate-keys.
import { standardStream } from '../adapters/storage/backup.ts'
import { type Command, type Invocation, UsageError } from './command.ts'
import { unwrap, withApp } from './withApp.ts'

const migrateCommand: Command = {
  name: 'migrate',
  meaning: 'Bring the database to the schema of this version; a start does the same',
  // Opening the application migrates.
  run: ({ config }) => withApp(config, async () => ({ json: { migrated: true }, text: 'The database is up to date.' })),
}

const backupCommand: Command = {
  name: 'backup',
  isAboutData: true,
  meaning:
    'Write everything into FILE as it stands at this moment, compressed if FILE ends in .gz; - is stdout; the master key is not in it',
  operands: ['FILE'],
  run: async ({ config, operands, options, progress }) => {
    const file = operands.FILE ?? ''
    if (file === standardStream && options.json === true)
      throw new UsageError('backup - writes the backup itself to stdout, so it takes no --json.')
    return withApp(config, async (operations) => {
      const { rows } = unwrap(await operations.backUp({ file, onRows: everyTenThousand(progress, 'rows written') }))
      const keep = 'Keep the master key in another place; without it the secrets do not open.'
      if (file !== standardStream) return { json: { file, rows }, text: `${rows} rows are in ${file}. ${keep}` }
      progress(`${rows} rows are written. ${keep}`)
      return { json: undefined, text: '' }
    })
  },
}

const restoreCommand: Command = {
  name: 'restore',
  meaning: 'Read FILE into an empty database, all of it or nothing; - is stdin',
  operands: ['FILE'],
  run: ({ config, operands, progress }) =>
    withApp(config, async (operations) => {
      const file = operands.FILE ?? ''
      const { rows } = unwrap(await operations.restore({ file, onRows: everyTenThousand(progress, 'rows read') }))
      return { json: { file, rows }, text: `${rows} rows are restored.` }
    }),
}

const rotateCommand: Command = {
  name: 'rotate-keys',
  isAboutData: true,
  meaning: 'Seal all data keys again under the first master key; may be repeated, also while servers run',
  options: { new: { type: 'boolean', meaning: 'make a new first key in DATA_DIR/master.key before' } },
  run: ({ config, options }) =>
    withApp(config, async (operations) => {
      const { newKid, applications, sealedAgain } = unwrap(
        await operations.rotateKeys({ isNewKeyWanted: options.new === true }),
      )
      const made =
        newKid === undefined ? '' : `Made master key "${newKid}"; back up ${config.dataDirectory}/master.key.\n`
      return {
        json: { new_kid: newKid ?? null, applications, sealed_again: sealedAgain },
        text: `${made}Sealed again for ${sealedAgain} of ${applications} applications; the others were or had nothing sealed.`,
      }
    }),
}

export const upkeepCommands: readonly Command[] = [migrateCommand, backupCommand, restoreCommand, rotateCommand]

function everyTenThousand(progress: Invocation['progress'], what: string): (count: number) => void {
  let said = 0
  return (count) => {
    if (count - said < 10_000) return
    said = count
    progress(`${count} ${what}`)
  }
}
