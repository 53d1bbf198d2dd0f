/**
 * A reference from a node to a block. Text is what maps want and bytes are what nodes hold; a
 * node may have a thousand links of which a lookup follows one, so each form is made when asked for.
 */
import type { BlockId } from '../../blocks/index.ts'
import { BLOCK_ID_BYTES, blockIdFromBytes, blockIdToBytes } from '../../blocks/index.ts'

export class Link {
  #id: BlockId | undefined
  #bytes: Uint8Array | undefined
  readonly #at: number

  private constructor(id: BlockId | undefined, bytes: Uint8Array | undefined, at: number) {
    this.#id = id
    this.#bytes = bytes
    this.#at = at
  }

  static fromId(id: BlockId): Link {
    return new Link(id, undefined, 0)
  }

  /** A link whose 36 bytes stand in `bytes` at `at`, and were checked. */
  static within(bytes: Uint8Array, at: number): Link {
    return new Link(undefined, bytes, at)
  }

  get id(): BlockId {
    this.#id ??= blockIdFromBytes(
      (this.#bytes as Uint8Array).subarray(this.#at, this.#at + BLOCK_ID_BYTES)
    )
    return this.#id
  }

  /** The 36 bytes, or a view of them where they stand. */
  get bytes(): Uint8Array {
    this.#bytes ??= blockIdToBytes(this.id)
    return this.#bytes.subarray(this.#at, this.#at + BLOCK_ID_BYTES)
  }

  /** Writes the 36 bytes. */
  writeTo(target: Uint8Array, at: number): void {
    this.#bytes ??= blockIdToBytes(this.id)
    const from = this.#at
    target.set(this.#bytes.subarray(from, from + BLOCK_ID_BYTES), at)
  }

  equals(other: Link): boolean {
    return this === other || this.id === other.id
  }
}
