/**
 * Guesses from a sample whether bytes can be compressed, in 3 µs where trying takes hundreds.
 *
 * It counts how often each byte value comes in sixteen runs spread over the whole. For bytes that
 * look random, as compressed, encrypted and most media files do, the sum of the squared counts is
 * close to a number that is known beforehand; text, code, tables and pictures that are not
 * compressed are at several times that. What it misses is long repetitions of random bytes.
 */

/** Shorter content saves less than the smallest unit of most disks. */
const BYTES_MIN = 512

const RUNS = 16
const RUN_BYTES = 128

/** Times what random bytes give. Compressed files measured 1.00 to 1.05, base64 3.7, code and text 8 to 12. */
const THRESHOLD = 1.25

/** Used again, since nothing here waits. */
const counts = new Uint32Array(256)

export function isWorthCompressing(bytes: Uint8Array): boolean {
  if (bytes.length < BYTES_MIN) return false
  counts.fill(0)
  const runBytes = Math.min(RUN_BYTES, Math.floor(bytes.length / RUNS))
  const step = (bytes.length - runBytes) / (RUNS - 1)
  for (let run = 0; run < RUNS; run++) {
    const from = Math.floor(run * step)
    for (let at = from; at < from + runBytes; at++) counts[bytes[at]!]!++
  }
  let squares = 0
  for (let value = 0; value < 256; value++) squares += counts[value]! * counts[value]!
  const sampled = RUNS * runBytes
  return squares > THRESHOLD * ((sampled * sampled) / 256 + sampled)
}
