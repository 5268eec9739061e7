// Commands for what a guest may ask of whoever keeps their data: to be told all of it, and to have it erased.
import type { Command } from './command.ts'
import { applicationOption, findApplication, unwrap, withApp } from './withApp.ts'

const exportCommand: Command = {
  name: 'guests export',
  isAboutData: true,
  meaning: 'Print all that is known of a guest, as JSON: bookings, answers, mails',
  operands: ['ADDRESS'],
  options: { app: applicationOption },
  run: ({ config, operands, options }) =>
    withApp(config, async (operations) => {
      const appId = await findApplication(operations, options)
      const known = unwrap(await operations.exportGuest({ appId, email: operands.ADDRESS ?? '' }))
      return { json: known, text: JSON.stringify(known, null, 2) }
    }),
}

const eraseCommand: Command = {
  name: 'guests erase',
  isAboutData: true,
  meaning: 'Erase a guest from all bookings that are over, and what was told of these; cannot be undone',
  operands: ['ADDRESS'],
  options: { app: applicationOption },
  run: ({ config, operands, options }) =>
    withApp(config, async (operations) => {
      const appId = await findApplication(operations, options)
      const { blanked, takenOut, deleted, standing } = unwrap(
        await operations.eraseGuest({ appId, email: operands.ADDRESS ?? '' }),
      )
      const left =
        standing.length === 0
          ? []
          : [
              `Left as they are, because they still stand: ${standing.join(', ')}.`,
              'Cancel them (or wait until they are over), then erase again.',
            ]
      return {
        json: { blanked, taken_out: takenOut, deleted, standing },
        text: [
          `Blanked bookings: ${blanked}; others' that they were taken out of: ${takenOut}; notifications and mails deleted: ${deleted}.`,
          ...left,
        ].join('\n'),
        exitCode: standing.length === 0 ? 0 : 1,
      }
    }),
}

export const guestCommands: readonly Command[] = [exportCommand, eraseCommand]
