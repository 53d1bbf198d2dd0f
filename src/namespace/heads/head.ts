/**
 * A head says which version of a volume is the newest. It is signed with the volume's key, so
 * that any peer can pass it on: the signature is trusted, never the source.
 */
import type { BlockId } from '../../blocks/index.ts'

/**
 * The name of a volume: its owner's public key as a libp2p-key CID in base36, `k51…`, the form
 * IPNS names have. Source: https://specs.ipfs.tech/ipns/ipns-record/#ipns-name
 */
export type VolumeId = string & { readonly __brand: 'VolumeId' }

export interface Head {
  readonly volume: VolumeId
  /** Grows by at least one with each version; the larger sequence is the newer version. */
  readonly sequence: number
  /** Root block of the version's tree. */
  readonly root: BlockId
  /** When the owner signed it, in milliseconds since 1970, by the owner's clock. */
  readonly timeMs: number
}

/** A head as it travels and is stored: the exact signed bytes beside what they say. */
export interface SignedHead extends Head {
  /** The encoded record including its signature. */
  readonly bytes: Uint8Array
}
