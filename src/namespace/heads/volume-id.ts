/**
 * The two forms of a volume's name. Text: a libp2p-key CID in base36, as IPNS names have, so that
 * tools of the IPFS world can read it. Bytes: the same CID in binary, for wire and disk.
 *
 *     01                CID version 1
 *     72                codec libp2p-key
 *     00 24             identity multihash of 36 bytes:
 *     08 01 12 20       protobuf { Type: Ed25519, Data: 32 bytes }
 *     32 bytes          the Ed25519 public key
 *
 * Every id is exactly these 40 bytes, and its text 62 characters beginning with `k51qzi5uqu5d`.
 * Sources: https://specs.ipfs.tech/ipns/ipns-record/#ipns-name,
 * https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md#keys
 */
import { base36 } from 'multiformats/bases/base36'
import { WarrenError } from '../../errors.ts'
import { PUBLIC_KEY_BYTES } from '../../peer/index.ts'
import type { VolumeId } from './head.ts'

const HEADER = Uint8Array.of(0x01, 0x72, 0x00, 0x24, 0x08, 0x01, 0x12, 0x20)

/** Length of an id in binary. */
export const VOLUME_ID_BYTES: number = HEADER.length + PUBLIC_KEY_BYTES

/**
 * The constant header keeps every text at this length. Reading base36 is quadratic, so longer text
 * from outside is refused unread.
 */
const TEXT_LENGTH = 62

/** How much of a text that is no id is shown in an error. */
const SHOWN_LENGTH_MAX = 80

export function createVolumeId(publicKey: Uint8Array): VolumeId {
  if (publicKey.length !== PUBLIC_KEY_BYTES) {
    throw new TypeError(`public key of ${publicKey.length} bytes, not ${PUBLIC_KEY_BYTES}`)
  }
  const bytes = new Uint8Array(VOLUME_ID_BYTES)
  bytes.set(HEADER)
  bytes.set(publicKey, HEADER.length)
  return encodeText(bytes)
}

/** The owner's Ed25519 public key inside the id: 32 bytes of its own. */
export function ownerKeyOf(volume: VolumeId): Uint8Array {
  return volumeIdToBytes(volume).slice(HEADER.length)
}

/** 40 bytes of its own. */
export function volumeIdToBytes(volume: VolumeId): Uint8Array {
  const bytes = decodeText(volume)
  if (bytes === undefined) throw new TypeError(`'${volume}' is not a volume id`)
  return bytes
}

/** Reads the binary form as it comes over the wire. Throws `EPROTO` for anything but one exact id. */
export function volumeIdFromBytes(bytes: unknown): VolumeId {
  if (!(bytes instanceof Uint8Array) || !isVolumeIdBytes(bytes)) {
    throw new WarrenError('EPROTO', { message: 'not a volume id' })
  }
  return encodeText(bytes)
}

/** Reads the text form, from a link or a command line. Throws `EINVAL` for anything but one exact id. */
export function parseVolumeId(text: string): VolumeId {
  if (decodeText(text) === undefined) {
    const shown = text.slice(0, SHOWN_LENGTH_MAX)
    throw new WarrenError('EINVAL', { message: `'${shown}' is not a volume id` })
  }
  return text as VolumeId
}

/**
 * The library's encoder adds one character at a time, and V8 keeps such a string as a tree of 2 KB:
 * too much for what is held by the ten thousand. No id begins with a zero byte, for which base36
 * and the number would differ.
 */
function encodeText(bytes: Uint8Array): VolumeId {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let number = 0n
  for (let offset = 0; offset < VOLUME_ID_BYTES; offset += 8) {
    number = (number << 64n) | view.getBigUint64(offset)
  }
  return `${base36.prefix}${number.toString(36)}` as VolumeId
}

function decodeText(text: string): Uint8Array | undefined {
  if (text.length !== TEXT_LENGTH) return undefined
  try {
    const bytes = base36.decode(text)
    // One id has one text: upper case and other spellings of the same bytes are refused.
    return isVolumeIdBytes(bytes) && encodeText(bytes) === text ? bytes : undefined
  } catch {
    return undefined
  }
}

function isVolumeIdBytes(bytes: Uint8Array): boolean {
  return bytes.length === VOLUME_ID_BYTES && HEADER.every((byte, index) => bytes[index] === byte)
}
