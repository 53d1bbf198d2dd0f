/**
 * The frames that carry calls over a byte stream, and their encoding.
 *
 * The peer that opened the stream sends REQUEST, CANCEL and CREDIT; the peer that accepted it
 * sends ANSWER and END. No END follows the last ANSWER. All numbers are unsigned and big-endian.
 *
 *     frame   = header body payload
 *     header  = type:1 call:4 value:4 bodyLength:4 payloadLength:4
 *     body    = CBOR, bodyLength bytes
 *     payload = payloadLength bytes as they are
 *
 *     type         value                        body             payload
 *     1 REQUEST    window of the call, bytes    the request      yes
 *     2 ANSWER     1: it is the last, else 0    the answer       yes
 *     3 END        0                            null or a code   no
 *     4 CANCEL     0                            none             no
 *     5 CREDIT     bytes taken by the reader    none             no
 *
 * A frame counts against its call's window with all its bytes, header included.
 *
 * Example: the request `{ "a": 1 }` as call 7 with a window of 65536 and the payload `ff`:
 *
 *     01 00000007 00010000 00000004 00000001  a1616101  ff
 */
import { WarrenError } from '../errors.ts'
import { decodeBody, encodeBody } from './body.ts'
import { BATCHED_FRAME_BYTES_MAX, BODY_BYTES_MAX, PAYLOAD_BYTES_MAX } from './limits.ts'

export const HEADER_BYTES = 17

export const FRAME_TYPES = { REQUEST: 1, ANSWER: 2, END: 3, CANCEL: 4, CREDIT: 5 } as const
export type FrameType = (typeof FRAME_TYPES)[keyof typeof FRAME_TYPES]

export interface Frame {
  readonly type: FrameType
  readonly call: number
  readonly value: number
  /** Decoded; `undefined` where the type has none. */
  readonly body: unknown
  readonly payload: Uint8Array
  /** All its bytes on the wire. */
  readonly bytes: number
}

export interface EncodedFrame {
  /** To be sent in order. The payload's parts are the sender's own arrays unless `owned`. */
  readonly parts: readonly Uint8Array[]
  readonly bytes: number
  /** True when the parts are our copies, which nobody will change. */
  readonly owned: boolean
}

export interface FrameFields {
  readonly type: FrameType
  readonly call: number
  readonly value?: number
  /** Present exactly for the types that have one. */
  readonly body?: unknown
  readonly payload?: readonly Uint8Array[]
}

/** Throws `EINVAL` for a message over the limits. */
export function encodeFrame(fields: FrameFields): EncodedFrame {
  const body = hasBody(fields.type) ? encodeBody(fields.body) : undefined
  const bodyLength = body?.length ?? 0
  const payload = fields.payload ?? []
  const payloadLength = lengthOf(payload)
  const bytes = HEADER_BYTES + bodyLength + payloadLength
  const owned = bytes <= BATCHED_FRAME_BYTES_MAX
  const head = new Uint8Array(owned ? bytes : HEADER_BYTES + bodyLength)
  const view = new DataView(head.buffer)
  view.setUint8(0, fields.type)
  view.setUint32(1, fields.call)
  view.setUint32(5, fields.value ?? 0)
  view.setUint32(9, bodyLength)
  view.setUint32(13, payloadLength)
  if (body !== undefined) head.set(body, HEADER_BYTES)
  if (!owned) return { parts: [head, ...payload], bytes, owned }
  let offset = HEADER_BYTES + bodyLength
  for (const part of payload) {
    head.set(part, offset)
    offset += part.length
  }
  return { parts: [head], bytes, owned }
}

/** Turns chunks of a byte stream, cut anywhere, into frames. Throws `EPROTO`. */
export async function* decodeFrames(
  chunks: AsyncIterable<readonly Uint8Array[]>
): AsyncGenerator<Frame[]> {
  const decoder = new FrameDecoder()
  for await (const arrived of chunks) {
    const frames: Frame[] = []
    for (const chunk of arrived) decoder.push(chunk, frames)
    if (frames.length > 0) yield frames
  }
  if (decoder.midFrame) throw new WarrenError('EPROTO', { message: 'ended within a frame' })
}

const NOTHING = new Uint8Array(0)

/** Fills one frame at a time; what it allocates is bounded by the limits, whatever lengths are declared. */
class FrameDecoder {
  readonly #header = new Uint8Array(HEADER_BYTES)
  readonly #view = new DataView(this.#header.buffer)
  #body = NOTHING
  #payload = NOTHING
  /** Bytes of the frame under way that have arrived. */
  #filled = 0

  get midFrame(): boolean {
    return this.#filled > 0
  }

  push(chunk: Uint8Array, frames: Frame[]): void {
    let rest = chunk
    while (rest.length > 0) {
      rest = this.#fill(rest)
      const whole = HEADER_BYTES + this.#body.length + this.#payload.length
      if (this.#filled === whole) frames.push(this.#finish())
    }
  }

  /** Copies what fits into the part of the frame that is next, and returns what is left. */
  #fill(chunk: Uint8Array): Uint8Array {
    const bodyStart = HEADER_BYTES
    const payloadStart = bodyStart + this.#body.length
    let target = this.#payload
    let start = payloadStart
    if (this.#filled < bodyStart) {
      target = this.#header
      start = 0
    } else if (this.#filled < payloadStart) {
      target = this.#body
      start = bodyStart
    }
    const offset = this.#filled - start
    const length = Math.min(chunk.length, target.length - offset)
    target.set(length === chunk.length ? chunk : chunk.subarray(0, length), offset)
    this.#filled += length
    if (this.#filled === HEADER_BYTES && target === this.#header) this.#readHeader()
    return chunk.subarray(length)
  }

  #readHeader(): void {
    const type = this.#view.getUint8(0)
    const bodyLength = this.#view.getUint32(9)
    const payloadLength = this.#view.getUint32(13)
    if (!isFrameType(type)) refuse(`type ${type}`)
    if (bodyLength > BODY_BYTES_MAX) refuse(`${bodyLength} bytes of body`)
    if (payloadLength > PAYLOAD_BYTES_MAX) refuse(`${payloadLength} bytes of payload`)
    if (bodyLength > 0 !== hasBody(type)) refuse(`${bodyLength} bytes of body in type ${type}`)
    if (payloadLength > 0 && !hasPayload(type)) refuse(`a payload in type ${type}`)
    this.#body = bodyLength === 0 ? NOTHING : new Uint8Array(bodyLength)
    this.#payload = payloadLength === 0 ? NOTHING : new Uint8Array(payloadLength)
  }

  #finish(): Frame {
    const frame: Frame = {
      type: this.#view.getUint8(0) as FrameType,
      call: this.#view.getUint32(1),
      value: this.#view.getUint32(5),
      body: this.#body.length === 0 ? undefined : decodeBody(this.#body),
      payload: this.#payload,
      bytes: this.#filled
    }
    this.#body = NOTHING
    this.#payload = NOTHING
    this.#filled = 0
    return frame
  }
}

function lengthOf(payload: readonly Uint8Array[]): number {
  let length = 0
  for (const part of payload) length += part.length
  if (length > PAYLOAD_BYTES_MAX) {
    throw new WarrenError('EINVAL', {
      message: `a payload of ${length} bytes, ${PAYLOAD_BYTES_MAX} at most`
    })
  }
  return length
}

function isFrameType(type: number): type is FrameType {
  return type >= FRAME_TYPES.REQUEST && type <= FRAME_TYPES.CREDIT
}

function hasBody(type: FrameType): boolean {
  return type <= FRAME_TYPES.END
}

function hasPayload(type: FrameType): boolean {
  return type <= FRAME_TYPES.ANSWER
}

function refuse(what: string): never {
  throw new WarrenError('EPROTO', { message: `a frame with ${what}` })
}
