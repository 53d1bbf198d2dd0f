/**
 * A chunker cuts a file's bytes into the pieces that become blocks.
 */
export type Chunker = (source: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>
