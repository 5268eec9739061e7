// Backup, restore and the rotation of keys: what whoever runs the server does with all applications at once.

import { recordAudit } from '../../adapters/storage/audit.ts'
import { backUp as writeBackup } from '../../adapters/storage/backup.ts'
import { listAppIds } from '../../adapters/storage/database/maintenance.ts'
import { restore as readBackup } from '../../adapters/storage/restore.ts'
import { terminal } from '../../core/account/principal.ts'
import { type Result, success } from '../../core/result.ts'
import type { Tools } from '../tools.ts'

/** `onRows` hears from time to time how many rows are done. */
export type FileCommand = { readonly file: string; readonly onRows: (count: number) => void }

/** Throws what the file system says. */
export async function backUp(
  { database }: Pick<Tools, 'database'>,
  { file, onRows }: FileCommand,
): Promise<Result<{ rows: number }>> {
  const rows = await writeBackup(database, file, onRows)
  for (const appId of await listAppIds(database))
    await database.transaction(appId, (transaction) =>
      recordAudit(transaction, { actor: terminal, action: 'backup.made', target: appId }),
    )
  return success({ rows })
}

/** Throws `RestoreRefused` with a sentence for the person at the terminal. */
export async function restore(
  tools: Pick<Tools, 'database' | 'vault'>,
  { file, onRows }: FileCommand,
): Promise<Result<{ rows: number }>> {
  return success({ rows: await readBackup(tools, file, onRows) })
}

/**
 * Seals every data key again under the first master key, one application after the other, so that a server can go on meanwhile and a
 * run that was cut off can be repeated. `isNewKeyWanted` makes a new first key in the key file before. Throws `VaultError`.
 */
export async function rotateKeys(
  { database, vault }: Pick<Tools, 'database' | 'vault'>,
  { isNewKeyWanted }: { readonly isNewKeyWanted: boolean },
): Promise<Result<{ newKid: string | undefined; applications: number; sealedAgain: number }>> {
  const newKid = isNewKeyWanted ? await vault.addMasterKey(database) : undefined
  const appIds = await listAppIds(database)
  let sealedAgain = 0
  for (const appId of appIds) {
    const isChanged = await database.transaction(appId, async (transaction) => {
      const isRotated = await vault.rotate(transaction)
      if (isRotated) await recordAudit(transaction, { actor: terminal, action: 'keys.rotated', target: appId })
      return isRotated
    })
    if (isChanged) sealedAgain++
  }
  return success({ newKid, applications: appIds.length, sealedAgain })
}
