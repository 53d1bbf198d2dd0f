/** The door of encodings. */
export type { BlockEncoding } from './block-encoding.ts'
export { createDecodingReader } from './decoding-reader.ts'
export type { ReadKey } from './read-key.ts'
export { createReadKey, formatReadKey, parseReadKey, readKeyToBytes } from './read-key.ts'
export { SEALING_BYTES_MAX, Sealing } from './sealing.ts'
