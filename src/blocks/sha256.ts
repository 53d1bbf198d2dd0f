/**
 * SHA-256, on whichever thread is cheaper.
 *
 * Web Crypto hashes on the platform's own thread pool, in Node and browsers alike, so hashing large
 * blocks overlaps with the network without workers of ours. But a trip to that pool costs the main
 * thread far more than hashing a small block does. Measured with Node 24 on two cores, in
 * microseconds of main-thread CPU a hash, here / on the pool one at a time / on the pool 16 at once
 * (and in wall time one at a time, here / on the pool):
 *
 *      1 KiB    2 /  28 /  10   (  3 /  58)
 *      4 KiB    3 /  25 /   3   (  4 /  53)
 *     16 KiB   10 /  34 /  10   ( 10 /  71)
 *     64 KiB   38 /  48 /  22   ( 40 / 105)
 *    128 KiB   72 /  65 /  31   ( 75 / 159)
 *    256 KiB  156 /  88 /  32   (160 / 248)
 *      1 MiB  576 / 232 / 264   (590 / 831)
 */
export async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  if (hashHere !== undefined && bytes.length <= HASHED_HERE_BYTES_MAX) return hashHere(bytes)
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
}

/**
 * Blocks of the default size are hashed here. The table says that the pool takes less of the main
 * thread above 64 KiB; but each trip to it wakes another thread, and where the cores are busy
 * already that costs more than it saves: fetching a file in blocks of 128 KiB between two processes
 * on two cores took 8.3 s of processor time with the pool and 7.4 s without, and 50 and 62 MiB/s.
 */
export const HASHED_HERE_BYTES_MAX: number = 128 * 1024

/**
 * `undefined` in browsers, which have no hashing on the calling thread. Asking for the module like
 * this, and not by an import, keeps the layer loadable there and invisible to bundlers.
 */
const hashHere = findHashHere()

function findHashHere(): ((bytes: Uint8Array) => Uint8Array) | undefined {
  const platform: Partial<NodeJS.Process> | undefined = globalThis.process
  const hash = platform?.getBuiltinModule?.('node:crypto')?.hash
  if (hash === undefined) return undefined
  return bytes => {
    const digest = hash('sha256', bytes, 'buffer')
    return new Uint8Array(digest.buffer, digest.byteOffset, digest.length)
  }
}
