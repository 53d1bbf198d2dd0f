/**
 * SHA-256 off the main thread: Web Crypto hashes on the platform's own thread pool, in Node and
 * browsers alike, so hashing overlaps with the network without workers of ours.
 */
export async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
}
