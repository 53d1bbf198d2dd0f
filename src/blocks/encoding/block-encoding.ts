/** The contract of an encoding: what stands in a block for the bytes of a file or of a tree node. */
import type { Codec } from '../block-id.ts'

export interface BlockEncoding {
  /** The bytes of the block: the same for the same content, on this platform. */
  encode(codec: Codec, content: Uint8Array): Promise<Uint8Array>
  /**
   * The content of a block's bytes; it may be a view of them. Throws `EACCES` without the key that
   * they were sealed with, `EPROTO` for bytes that are malformed or not sealed.
   */
  decode(codec: Codec, bytes: Uint8Array): Promise<Uint8Array>
}
