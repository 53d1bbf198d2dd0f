/**
 * A copy of bytes, always. `slice` is not one when the bytes are a Node `Buffer`, whose `slice`
 * gives a view of the same memory; callers and block stores hand us such.
 */
export function copyBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}
