/**
 * Personal text (notes, photo, profile) leaves this service only sealed, with a key of the user that only this service
 * holds. Destroying the key erases the text from every copy of the log at once.
 *
 * AES-256-GCM. Layout: version (1 byte, 1) | iv (12) | tag (16) | ciphertext. The user id is authenticated with it, so a
 * sealed text cannot be passed off as another user's. The iv is random: a key would have to seal 2^32 texts before two
 * were likely to meet.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

const version = 1
const ivBytes = 12
const tagBytes = 16
const headerBytes = 1 + ivBytes + tagBytes
const keyBytes = 32
const cipher = 'aes-256-gcm'

/** A sealed text that is none, was changed, or belongs to another user or key. */
export class UnreadableText extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'UnreadableText'
  }
}

/** A new key for one user. */
export function createTextKey(): Buffer {
  return randomBytes(keyBytes)
}

export function sealText(text: string, key: Uint8Array, userId: string): Buffer {
  const iv = randomBytes(ivBytes)
  const encryption = createCipheriv(cipher, key, iv, { authTagLength: tagBytes })
  encryption.setAAD(Buffer.from(userId))
  const ciphertext = Buffer.concat([encryption.update(text, 'utf8'), encryption.final()])
  return Buffer.concat([Buffer.from([version]), iv, encryption.getAuthTag(), ciphertext])
}

/** @throws {UnreadableText} */
export function unsealText(sealed: Uint8Array, key: Uint8Array, userId: string): string {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength)
  if (bytes.length < headerBytes) throw new UnreadableText(`sealed text of ${bytes.length} bytes is too short`)
  if (bytes[0] !== version) throw new UnreadableText(`sealed text of unknown version ${bytes[0]}`)
  const decryption = createDecipheriv(cipher, key, bytes.subarray(1, 1 + ivBytes), { authTagLength: tagBytes })
  decryption.setAAD(Buffer.from(userId))
  decryption.setAuthTag(bytes.subarray(1 + ivBytes, headerBytes))
  try {
    return decryption.update(bytes.subarray(headerBytes), undefined, 'utf8') + decryption.final('utf8')
  } catch (error) {
    throw new UnreadableText('sealed text was changed, or is of another user or key', { cause: error })
  }
}
