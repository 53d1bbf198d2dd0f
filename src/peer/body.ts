/**
 * The CBOR of message bodies. What arrives comes from an untrusted peer, so decoding is strict:
 * shortest integers, definite lengths, no tags, no repeated keys, no deep nesting.
 */
import { Tokenizer, Type, decode, encode } from 'cborg'
import type { DecodeOptions, Token } from 'cborg'
import { WarrenError } from '../errors.ts'
import { BODY_BYTES_MAX, BODY_DEPTH_MAX } from './limits.ts'

const DECODE_OPTIONS = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: true,
  allowBigInt: true,
  allowNaN: false,
  allowInfinity: false,
  rejectDuplicateMapKeys: true
} as const satisfies DecodeOptions

/** Throws `EINVAL` for a value that is too large or that CBOR cannot hold. */
export function encodeBody(body: unknown): Uint8Array {
  const bytes = encodeOrRefuse(body)
  if (bytes.length > BODY_BYTES_MAX) {
    throw new WarrenError('EINVAL', {
      message: `a body of ${bytes.length} bytes, ${BODY_BYTES_MAX} at most`
    })
  }
  return bytes
}

/** Throws `EPROTO` for anything but one strictly encoded value. */
export function decodeBody(bytes: Uint8Array): unknown {
  try {
    return decode(bytes, { ...DECODE_OPTIONS, tokenizer: new ShallowTokenizer(bytes) })
  } catch (cause) {
    throw new WarrenError('EPROTO', { message: 'the body of a message is not valid', cause })
  }
}

function encodeOrRefuse(body: unknown): Uint8Array {
  try {
    return encode(body, { ignoreUndefinedProperties: true })
  } catch (cause) {
    throw new WarrenError('EINVAL', { message: 'the body of a message cannot be encoded', cause })
  }
}

/** Refuses to go deeper than `BODY_DEPTH_MAX`: the decoder recurses, and the stack is finite. */
class ShallowTokenizer extends Tokenizer {
  /** For each open array or map, how many values it still wants. */
  readonly #wanted: number[] = []

  constructor(bytes: Uint8Array) {
    super(bytes, DECODE_OPTIONS)
  }

  override next(): Token {
    const token = super.next()
    const values = containedValues(token)
    if (values > 0) {
      if (this.#wanted.length === BODY_DEPTH_MAX) {
        throw new Error(`nested deeper than ${BODY_DEPTH_MAX}`)
      }
      this.#wanted.push(values)
    } else {
      this.#close()
    }
    return token
  }

  #close(): void {
    const wanted = this.#wanted
    while (wanted.length > 0 && --wanted[wanted.length - 1]! === 0) wanted.pop()
  }
}

function containedValues(token: Token): number {
  if (token.type === Type.array) return Number(token.value)
  if (token.type === Type.map) return 2 * Number(token.value)
  return 0
}
