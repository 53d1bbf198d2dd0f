/**
 * Keys that sign: the identity of a peer and the owner's key of a volume. Both are Ed25519.
 * Implemented in `ed25519.ts`; the contract keeps libp2p out of the layers above.
 */
export interface SigningKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  sign(bytes: Uint8Array): Promise<Uint8Array>
  /** The private key in libp2p's protobuf form, to be stored where only its owner reads. */
  export(): Uint8Array
}
