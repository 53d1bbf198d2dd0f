/**
 * A checksum for headers of a few words, a few nanoseconds each where a call into zlib costs two
 * hundred. It tells damage, not malice: the seed is what an outsider does not know.
 *
 * Source: MurmurHash3_x86_32, Austin Appleby, public domain.
 */

/** Over `count` little-endian 32-bit words at `at`. */
export function checksumWords(view: DataView, at: number, count: number, seed: number): number {
  let hash = seed | 0
  for (let index = 0; index < count; index++) {
    let word = Math.imul(view.getUint32(at + index * 4, true), 0xcc9e2d51)
    word = (word << 15) | (word >>> 17)
    hash ^= Math.imul(word, 0x1b873593)
    hash = (hash << 13) | (hash >>> 19)
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0
  }
  hash ^= count * 4
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
