/**
 * The name of a block: a CIDv1 with a sha2-256 digest, so that tools of the IPFS world can name,
 * fetch and pin our blocks. Codec `raw` for file data, `dag-cbor` for tree nodes.
 *
 * Ids are passed around in their canonical text form (multibase base32, `bafkrei…` / `bafyrei…`)
 * because text is what maps, logs and links want; `blockIdToBytes` gives the 36 bytes that go to
 * disk and wire.
 * Source: https://github.com/multiformats/cid
 */
import { CID } from 'multiformats/cid'
import { decodeBlockIdText, encodeBlockIdText } from './block-id-text.ts'
import { WarrenError } from '../errors.ts'

export type BlockId = string & { readonly __brand: 'BlockId' }

export type Codec = 'raw' | 'dag-cbor'

/** CIDv1 + codec + sha2-256 + length, each one byte, then 32 bytes of digest. */
export const BLOCK_ID_BYTES = 36
export const DIGEST_BYTES = 32

const VERSION = 1
const CODEC_NUMBERS = { raw: 0x55, 'dag-cbor': 0x71 } as const
const SHA2_256 = 0x12
const HEADS = {
  raw: Uint8Array.of(VERSION, CODEC_NUMBERS.raw, SHA2_256, DIGEST_BYTES),
  'dag-cbor': Uint8Array.of(VERSION, CODEC_NUMBERS['dag-cbor'], SHA2_256, DIGEST_BYTES)
} as const

/** Any text form of an id of ours fits; parsers of other bases are quadratic, so longer text is not read. */
export const FOREIGN_ID_LENGTH_MAX = 128

export function createBlockId(codec: Codec, digest: Uint8Array): BlockId {
  return encodeBlockIdText(HEADS[codec], digest) as BlockId
}

/** 36 bytes of its own. */
export function blockIdToBytes(id: BlockId): Uint8Array {
  const bytes = decodeBlockIdText(id)
  if (bytes === undefined) throw new TypeError(`'${id}' is not a block id`)
  return bytes
}

/** Reads the binary form. Throws `EPROTO` for anything but exactly one id of the kinds we use. */
export function blockIdFromBytes(bytes: Uint8Array): BlockId {
  if (!isBlockIdBytes(bytes)) {
    throw new WarrenError('EPROTO', { message: 'not a block id we use' })
  }
  return encodeBlockIdText(bytes.subarray(0, 4), bytes.subarray(4)) as BlockId
}

/** Reads any text form of a CID, from a link or a command line. Throws `EINVAL`. */
export function parseBlockId(text: string): BlockId {
  const bytes = decodeBlockIdText(text)
  if (bytes !== undefined && isBlockIdBytes(bytes)) return text as BlockId
  try {
    if (text.length > FOREIGN_ID_LENGTH_MAX) throw new RangeError('too long')
    return blockIdFromBytes(CID.parse(text).bytes)
  } catch (cause) {
    const shown = text.slice(0, FOREIGN_ID_LENGTH_MAX)
    throw new WarrenError('EINVAL', { message: `'${shown}' is not a block id`, cause })
  }
}

export function codecOf(id: BlockId): Codec {
  return id.startsWith('bafy') ? 'dag-cbor' : 'raw'
}

/** The 32 bytes of sha2-256 inside the id. */
export function digestOf(id: BlockId): Uint8Array {
  return blockIdToBytes(id).subarray(BLOCK_ID_BYTES - DIGEST_BYTES)
}

function isBlockIdBytes(bytes: Uint8Array): boolean {
  return (
    bytes.length === BLOCK_ID_BYTES &&
    bytes[0] === VERSION &&
    (bytes[1] === CODEC_NUMBERS.raw || bytes[1] === CODEC_NUMBERS['dag-cbor']) &&
    bytes[2] === SHA2_256 &&
    bytes[3] === DIGEST_BYTES
  )
}
