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
import { create as createDigest } from 'multiformats/hashes/digest'
import { WarrenError } from '../errors.ts'

export type BlockId = string & { readonly __brand: 'BlockId' }

export type Codec = 'raw' | 'dag-cbor'

/** CIDv1 + codec + sha2-256 + length, each one byte, then 32 bytes of digest. */
export const BLOCK_ID_BYTES = 36
export const DIGEST_BYTES = 32

const CODEC_NUMBERS = { raw: 0x55, 'dag-cbor': 0x71 } as const
const SHA2_256 = 0x12

export function createBlockId(codec: Codec, digest: Uint8Array): BlockId {
  return CID.createV1(CODEC_NUMBERS[codec], createDigest(SHA2_256, digest)).toString() as BlockId
}

export function blockIdToBytes(id: BlockId): Uint8Array {
  return CID.parse(id).bytes
}

/** Reads the binary form. Throws `EPROTO` for anything but exactly one id of the kinds we use. */
export function blockIdFromBytes(bytes: Uint8Array): BlockId {
  const valid =
    bytes.length === BLOCK_ID_BYTES &&
    bytes[0] === 1 &&
    (bytes[1] === CODEC_NUMBERS.raw || bytes[1] === CODEC_NUMBERS['dag-cbor']) &&
    bytes[2] === SHA2_256 &&
    bytes[3] === DIGEST_BYTES
  if (!valid) throw new WarrenError('EPROTO', { message: 'not a block id we use' })
  return CID.decode(bytes).toString() as BlockId
}

/** Reads the text form, from a link or a command line. Throws `EINVAL`. */
export function parseBlockId(text: string): BlockId {
  try {
    return blockIdFromBytes(CID.parse(text).bytes)
  } catch (cause) {
    throw new WarrenError('EINVAL', { message: `'${text}' is not a block id`, cause })
  }
}

export function codecOf(id: BlockId): Codec {
  return id.startsWith('bafy') ? 'dag-cbor' : 'raw'
}

/** The 32 bytes of sha2-256 inside the id. */
export function digestOf(id: BlockId): Uint8Array {
  return blockIdToBytes(id).subarray(BLOCK_ID_BYTES - DIGEST_BYTES)
}
