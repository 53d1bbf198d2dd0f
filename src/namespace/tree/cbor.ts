/**
 * The part of CBOR (RFC 8949) that tree nodes use: unsigned integers, byte strings and arrays, in
 * their shortest form as dag-cbor demands.
 *
 * Nodes are read and written far more often than anything else we encode, and a general decoder
 * makes an object and a copy for every key and value. This one says where they are.
 */
import { WarrenError } from '../../errors.ts'

export const UNSIGNED = 0
export const BYTE_STRING = 2
export const ARRAY = 4

/** Arguments of one more byte stand for larger numbers than a block has bytes: refused. */
const ARGUMENT_MAX = 0xffffffff

export function headBytes(argument: number): number {
  if (argument < 24) return 1
  if (argument < 0x100) return 2
  return argument < 0x10000 ? 3 : 5
}

/** Writes the head of an item and gives the position after it. */
export function writeHead(
  target: Uint8Array,
  at: number,
  { major, argument }: { readonly major: number; readonly argument: number }
): number {
  const type = major << 5
  if (argument < 24) {
    target[at] = type | argument
    return at + 1
  }
  const width = headBytes(argument) - 1
  target[at] = type | (width === 1 ? 24 : width === 2 ? 25 : 26)
  for (let index = width; index > 0; index--) {
    target[at + index] = argument & 0xff
    argument >>>= 8
  }
  return at + 1 + width
}

export function writeByteString(target: Uint8Array, at: number, bytes: Uint8Array): number {
  const start = writeHead(target, at, { major: BYTE_STRING, argument: bytes.length })
  target.set(bytes, start)
  return start + bytes.length
}

/** Reads items one after the other. Throws `EPROTO` for whatever is not the item asked for. */
export class CborCursor {
  readonly bytes: Uint8Array
  position = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** Bytes that follow. */
  get left(): number {
    return this.bytes.length - this.position
  }

  unsigned(): number {
    return this.#head(UNSIGNED)
  }

  /** The number of items, each at least a byte: never more than there are bytes. */
  array(): number {
    const items = this.#head(ARRAY)
    if (items > this.left) refuse(`array of ${items} items in ${this.left} bytes`)
    return items
  }

  /** Steps over a byte string and gives its length; its bytes end where the cursor now stands. */
  byteString(): number {
    const length = this.#head(BYTE_STRING)
    if (length > this.left) refuse(`byte string of ${length} bytes in ${this.left}`)
    this.position += length
    return length
  }

  end(): void {
    if (this.left !== 0) refuse(`${this.left} bytes after the end`)
  }

  #head(major: number): number {
    const initial = this.bytes[this.position++]
    if (initial === undefined || initial >> 5 !== major) {
      refuse(`unexpected item at byte ${this.position - 1}`)
    }
    const small = initial & 0x1f
    return small < 24 ? small : this.#argument(small)
  }

  #argument(form: number): number {
    const width = form === 24 ? 1 : form === 25 ? 2 : form === 26 ? 4 : 0
    if (width === 0 || width > this.left) refuse(`bad length at byte ${this.position - 1}`)
    let argument = 0
    for (let index = 0; index < width; index++) {
      argument = argument * 0x100 + (this.bytes[this.position++] as number)
    }
    if (argument > ARGUMENT_MAX || headBytes(argument) !== 1 + width) {
      refuse(`length not in its shortest form at byte ${this.position - width - 1}`)
    }
    return argument
  }
}

function refuse(message: string): never {
  throw new WarrenError('EPROTO', { message: `tree node: ${message}` })
}
