/**
 * Reads the records that there are millions of: a CBOR list of numbers, nothing else. A general
 * decoder takes longer for one than everything else that a listing does for its entry.
 */
import type { EntryInPlace } from '../tree/entry-in-place.ts'

const SMALL_MAX = 23
const ONE_BYTE = 0x18
const TWO_BYTES = 0x19
const FOUR_BYTES = 0x1a
const EIGHT_BYTES = 0x1b
const FLOAT64 = 0xfb
const LIST = 0x80

const view = new DataView(new ArrayBuffer(8))

/**
 * Fills `fields` from a value that is a list of exactly as many numbers (fewer than 24): integers from 0 in their
 * shortest form, or floats of 64 bits. False for all else, which may be right all the same.
 */
export function readNumbers(
  { valueBytes: bytes, valueFrom, valueTo: to }: EntryInPlace,
  fields: Float64Array
): boolean {
  if (valueFrom >= to || bytes[valueFrom] !== LIST + fields.length) return false
  let at = valueFrom + 1
  for (let index = 0; index < fields.length; index++) {
    if (at >= to) return false
    const initial = bytes[at++] as number
    if (initial <= SMALL_MAX) {
      fields[index] = initial
    } else if (initial === FLOAT64) {
      if (at + 8 > to) return false
      fields[index] = readFloat(bytes, at)
      at += 8
    } else {
      const width = widthOf(initial)
      if (width === 0 || at + width > to) return false
      const value = readUnsigned(bytes, at, width)
      if (value < leastOf(width) || value > Number.MAX_SAFE_INTEGER) return false
      fields[index] = value
      at += width
    }
  }
  return at === to
}

function widthOf(initial: number): number {
  if (initial === ONE_BYTE) return 1
  if (initial === TWO_BYTES) return 2
  if (initial === FOUR_BYTES) return 4
  return initial === EIGHT_BYTES ? 8 : 0
}

/** The smallest number that needs so many bytes. */
function leastOf(width: number): number {
  if (width === 1) return SMALL_MAX + 1
  return width === 2 ? 2 ** 8 : width === 4 ? 2 ** 16 : 2 ** 32
}

function readUnsigned(bytes: Uint8Array, at: number, width: number): number {
  let value = 0
  for (let offset = 0; offset < width; offset++) {
    value = value * 0x100 + (bytes[at + offset] as number)
  }
  return value
}

function readFloat(bytes: Uint8Array, at: number): number {
  view.setInt32(0, readWord(bytes, at))
  view.setInt32(4, readWord(bytes, at + 4))
  return view.getFloat64(0)
}

/** Four bytes; as a signed number it needs no floating point. */
function readWord(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  )
}
