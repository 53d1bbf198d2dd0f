/**
 * The encoding of a sealed volume. It seals with the first read key it was given and opens what was
 * sealed with any of them. Without a key it changes nothing: a volume of which one knows only the
 * name may be sealed or not.
 */
import type { Codec } from '../block-id.ts'
import { WarrenError } from '../../errors.ts'
import type { BlockEncoding } from './block-encoding.ts'
import type { Cipher } from './cipher.ts'
import type { Compression } from './compression.ts'
import { deriveKeys } from './derived-keys.ts'
import type { DerivedKeys } from './derived-keys.ts'
import { PACK_BYTES, packBytes, unpackBytes } from './packed-bytes.ts'
import { platformCipher, platformCompressions } from './platform.ts'
import type { ReadKey } from './read-key.ts'
import { SEAL_BYTES, keyIdOf, openBytes, sealBytes } from './sealed-bytes.ts'
import { PLAIN_NODE, SEALED_NODE, joinNode, splitNode } from './sealed-node.ts'

/** How much longer than its content a sealed block of file data is at most. */
export const SEALING_BYTES_MAX: number = SEAL_BYTES + PACK_BYTES

const NOTHING = new Uint8Array(0)

export interface SealingComponents {
  readonly cipher: Cipher
  /** The first is used, all are read. */
  readonly compressions: readonly Compression[]
}

export class Sealing implements BlockEncoding {
  readonly #components: SealingComponents
  readonly #keys = new Map<ReadKey, Promise<DerivedKeys>>()

  constructor(
    readKey?: ReadKey,
    components: SealingComponents = {
      cipher: platformCipher,
      compressions: platformCompressions
    }
  ) {
    this.#components = components
    if (readKey !== undefined) this.add(readKey)
  }

  /** What it seals with. */
  get readKey(): ReadKey | undefined {
    const [first] = this.#keys.keys()
    return first
  }

  get isEmpty(): boolean {
    return this.#keys.size === 0
  }

  add(readKey: ReadKey): void {
    if (this.#keys.has(readKey)) return
    const keys = deriveKeys(this.#components.cipher, readKey)
    // Whoever uses it is told.
    keys.catch(() => {})
    this.#keys.set(readKey, keys)
  }

  async encode(codec: Codec, content: Uint8Array): Promise<Uint8Array> {
    const [first] = this.#keys.values()
    if (first === undefined) return content
    const { cipher, compressions } = this.#components
    const { data, node } = await first
    if (codec === 'raw') {
      const parts = await packBytes(content, compressions[0])
      return sealBytes(cipher, data, { parts, associated: NOTHING })
    }
    const { head, body } = splitNode(content, PLAIN_NODE)
    const parts = await packBytes(body, compressions[0])
    const sealed = await sealBytes(cipher, node, { parts, associated: head })
    return joinNode({ head, body: sealed }, SEALED_NODE)
  }

  async decode(codec: Codec, bytes: Uint8Array): Promise<Uint8Array> {
    if (this.isEmpty) return bytes
    const { cipher, compressions } = this.#components
    if (codec === 'raw') {
      const { data } = await this.#keysOf(bytes)
      const packed = await openBytes(cipher, data, { sealed: bytes, associated: NOTHING })
      return unpackBytes(packed, compressions)
    }
    const { head, body } = splitNode(bytes, SEALED_NODE)
    const { node } = await this.#keysOf(body)
    const packed = await openBytes(cipher, node, { sealed: body, associated: head })
    return joinNode({ head, body: await unpackBytes(packed, compressions) }, PLAIN_NODE)
  }

  async #keysOf(sealed: Uint8Array): Promise<DerivedKeys> {
    const wanted = keyIdOf(sealed)
    for (const derived of this.#keys.values()) {
      const keys = await derived
      if (keys.id.every((byte, index) => byte === wanted[index])) return keys
    }
    throw new WarrenError('EACCES', { message: 'it is sealed with another read key' })
  }
}
