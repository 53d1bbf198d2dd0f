/**
 * The contract of the two primitives that sealing is built from. All implementations give the same
 * bytes; what is sealed with one is opened with the other.
 */
export const CIPHER_KEY_BYTES = 32
export const TAG_BYTES = 16

/** Every key encrypts one message only, so the nonce says nothing. */
export const NONCE: Uint8Array = new Uint8Array(12)

export interface Cipher {
  /** HMAC-SHA256 (RFC 2104) of the parts, one after the other. 32 bytes. */
  authenticate(key: Uint8Array, parts: readonly Uint8Array[]): Promise<Uint8Array>
  /**
   * AES-256-GCM (NIST SP 800-38D) of the parts, one after the other: ciphertext, then tag, in pieces.
   * Use no key for two messages.
   */
  encrypt(
    key: Uint8Array,
    parts: readonly Uint8Array[],
    associated: Uint8Array
  ): Promise<readonly Uint8Array[]>
  /** The plaintext; undefined when key, bytes or associated bytes are not those of the encryption. */
  decrypt(
    key: Uint8Array,
    sealed: Uint8Array,
    associated: Uint8Array
  ): Promise<Uint8Array | undefined>
}
