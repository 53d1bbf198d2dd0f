/**
 * A chunker cuts a file's bytes into the pieces that become blocks.
 */
export interface Chunker {
  (source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>
  /** It cuts at every multiple of so many bytes. Undefined when the content decides. */
  readonly blockBytes?: number
}
