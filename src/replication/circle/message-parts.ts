/**
 * The parts that several messages of `/warren/replicas/1.0.0` have in common, read strictly: what
 * is not exactly one of them is refused with `EPROTO`.
 */
import { WarrenError } from '../../errors.ts'
import { parseVolumeId } from '../../namespace/index.ts'
import type { VolumeId } from '../../namespace/index.ts'
import { PUBLIC_KEY_BYTES, peerIdOf, publicKeyOf } from '../../peer/index.ts'
import type { PeerId } from '../../peer/index.ts'
import { HOLDER_LIST_BYTES_MAX, isCount } from '../holders/limits.ts'
import { ADDRESSES_PER_PEER_MAX, ADDRESS_LENGTH_MAX, HINTS_MAX } from './circle-limits.ts'

/** Where peers may be found. Unproved: whoever is dialled there shows by its key who it is. */
export type AddressHints = ReadonlyMap<PeerId, readonly string[]>

/** The fields of a map that has these, may have those, and has no others. */
export function readMap(
  body: unknown,
  required: readonly string[],
  optional: readonly string[] = []
): Record<string, unknown> {
  const isMap = typeof body === 'object' && body !== null && !Array.isArray(body)
  if (!isMap || ArrayBuffer.isView(body)) refuse('it is not a map')
  const keys = Object.keys(body)
  if (!required.every(key => keys.includes(key))) refuse('a field is missing')
  if (!keys.every(key => required.includes(key) || optional.includes(key))) {
    refuse('it has a field we do not know')
  }
  return { ...body }
}

/** As `readMap`, of a request for this verb. */
export function readRequest(
  body: unknown,
  verb: string,
  fields: readonly string[]
): Record<string, unknown> {
  const map = readMap(body, ['verb', ...fields])
  return map['verb'] === verb ? map : refuse(`it is no ${verb}`)
}

export function readList(value: unknown, lengthMax: number): unknown[] {
  if (!Array.isArray(value)) refuse('a list is missing')
  if (value.length > lengthMax) refuse(`a list of ${value.length}, ${lengthMax} at most`)
  return value
}

export function readVolume(value: unknown): VolumeId {
  if (typeof value !== 'string') refuse('the volume is no text')
  try {
    return parseVolumeId(value)
  } catch (cause) {
    return refuse('that is no volume', cause)
  }
}

export function readPeer(value: unknown): PeerId {
  if (!(value instanceof Uint8Array) || value.length !== PUBLIC_KEY_BYTES) refuse('that is no peer')
  return peerIdOf(value)
}

export function readCount(value: unknown): number {
  return isCount(value) ? value : refuse('that is no count')
}

/** From -1, which stands for none. */
export function readSequence(value: unknown): number {
  return value === -1 ? -1 : readCount(value)
}

export function readBoolean(value: unknown): boolean {
  return typeof value === 'boolean' ? value : refuse('that is neither true nor false')
}

/** The bytes of a holder list, which are verified by whoever uses them. */
export function readListBytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) refuse('the list is no bytes')
  if (value.length > HOLDER_LIST_BYTES_MAX) refuse(`a list of ${value.length} bytes`)
  return value
}

export function readAddresses(value: unknown): string[] {
  return readList(value, ADDRESSES_PER_PEER_MAX).map(item => {
    return isAddress(item) ? item : refuse('that is no address')
  })
}

/** As many of the addresses as a message takes, of those that can be some: the ones seen last. */
export function encodeAddresses(addresses: readonly string[]): string[] {
  return addresses.filter(isAddress).slice(-ADDRESSES_PER_PEER_MAX)
}

export function readHints(value: unknown): AddressHints {
  const hints = new Map<PeerId, readonly string[]>()
  for (const item of readList(value, HINTS_MAX)) {
    const [key, addresses, ...more] = readList(item, 2)
    if (more.length > 0) refuse('that is no hint')
    const peer = readPeer(key)
    if (hints.has(peer)) refuse('two hints for one peer')
    hints.set(peer, readAddresses(addresses))
    if (!hints.get(peer)!.every(address => mayLeadTo(peer, address))) {
      refuse('an address of somebody else')
    }
  }
  return hints
}

export function encodeHints(hints: AddressHints): unknown[] {
  return [...hints].slice(0, HINTS_MAX).map(([peer, addresses]) => {
    const leading = addresses.filter(address => mayLeadTo(peer, address))
    return [publicKeyOf(peer), encodeAddresses(leading)]
  })
}

export function refuse(why: string, cause?: unknown): never {
  throw new WarrenError('EPROTO', { message: `a message of a circle: ${why}`, cause })
}

const PRINTABLE = /^\/[\u0021-\u007e]+$/

function isAddress(value: unknown): value is string {
  return typeof value === 'string' && value.length <= ADDRESS_LENGTH_MAX && PRINTABLE.test(value)
}

/** An address may leave out whom it leads to, and must not say another. */
function mayLeadTo(peer: PeerId, address: string): boolean {
  const end = /\/p2p\/([^/]*)$/.exec(address)?.[1]
  return end === undefined || end === peer
}
