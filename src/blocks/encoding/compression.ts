/** The contract of a way in which bytes are compressed. */

/** What stands in front of packed bytes for each way. */
export const STORED = 0
export const DEFLATE = 1
export const ZSTD = 2

export interface Compression {
  readonly method: number
  compress(bytes: Uint8Array): Promise<Uint8Array>
  /** Of no more than `length` bytes, whatever comes out. Throws anything for bytes that are no such. */
  decompress(bytes: Uint8Array, length: number): Promise<Uint8Array>
}
