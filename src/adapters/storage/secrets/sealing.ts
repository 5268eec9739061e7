// AES-256-GCM over small texts: what is sealed opens unchanged, in its place, with its key, or not at all.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

import type { AppId } from '../../../core/ids.ts'

/** Where a sealed value stands. It is authenticated with the value, so a value moved elsewhere does not open. */
export type Place = { readonly appId: AppId; readonly table: string; readonly row: string; readonly column: string }

/** The sealed value was changed, moved, or sealed under a key that is not here. */
export class VaultError extends Error {
  override readonly name = 'VaultError'
}

const formatVersion = 1
const kidBytes = 8
const nonceBytes = 12
const tagBytes = 16

/** `version ‖ kid ‖ nonce ‖ ciphertext ‖ tag`. */
export function seal(key: Buffer, kid: string, place: Place, plain: Buffer): Buffer {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(additionalData(place))
  const head = Buffer.alloc(1 + kidBytes)
  head[0] = formatVersion
  head.write(kid, 1, 'ascii')
  return Buffer.concat([head, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

/** Throws `VaultError`. */
export function open(key: Buffer, place: Place, sealed: Buffer): Buffer {
  const start = 1 + kidBytes
  if (sealed.length < start + nonceBytes + tagBytes || sealed[0] !== formatVersion)
    throw new VaultError('not a sealed value')
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(start, start + nonceBytes))
  decipher.setAAD(additionalData(place))
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes))
  try {
    return Buffer.concat([
      decipher.update(sealed.subarray(start + nonceBytes, sealed.length - tagBytes)),
      decipher.final(),
    ])
  } catch (error) {
    throw new VaultError('a sealed value does not open here', { cause: error })
  }
}

function additionalData(place: Place): Buffer {
  return Buffer.from([place.appId, place.table, place.row, place.column].join('\0'))
}
