/** Bytes that nobody can guess: for salts and nonces, unless a simulation passes its own. */
export type RandomBytes = (length: number) => Uint8Array

export const randomBytesFromPlatform: RandomBytes = length =>
  crypto.getRandomValues(new Uint8Array(length))
