/** Node's primitives for noise: the vectors of their standards, and the stock ones as a reference. */
import { pureJsCrypto } from '@chainsafe/libp2p-noise'
import type { ICryptoInterface, KeyPair } from '@chainsafe/libp2p-noise'
import { Uint8ArrayList } from 'uint8arraylist'
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import { nodePrimitives } from '../../src/peer/node-noise/index.ts'

type Bytes = Uint8Array | Uint8ArrayList
type Arguments<Name extends keyof ICryptoInterface> = Parameters<ICryptoInterface[Name]>

const encrypt = (...given: Arguments<'chaCha20Poly1305Encrypt'>): Bytes =>
  nodePrimitives.chaCha20Poly1305Encrypt(...given)
const decrypt = (...given: Arguments<'chaCha20Poly1305Decrypt'>): Bytes =>
  nodePrimitives.chaCha20Poly1305Decrypt(...given)

const NOTHING = new Uint8Array(0)
const TAG_BYTES = 16

/** Around the blocks of the cipher, the limits of this implementation and those of noise. */
const SIZES = [
  0, 1, 15, 16, 17, 63, 64, 65, 1199, 1200, 8191, 8192, 8193, 65_503, 65_518, 65_519, 65_520,
  65_534, 65_535, 65_536, 200_000
]

const test = suite('node noise')

test('seals as RFC 8439, section 2.8.2', () => {
  const plaintext = Buffer.from(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, " +
      'sunscreen would be it.'
  )
  const key = hex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f')
  const nonce = hex('070000004041424344454647')
  const additional = hex('50515253c0c1c2c3c4c5c6c7')
  const sealed = hex(
    'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da' +
      '92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585' +
      '808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691'
  )
  assertBytes(encrypt(plaintext, nonce, additional, key), sealed)
  assertBytes(decrypt(sealed, nonce, additional, key), plaintext)
})

test('agrees on keys as RFC 7748, section 6.1', () => {
  const fromSeed = (seed: Uint8Array): KeyPair => nodePrimitives.generateX25519KeyPairFromSeed(seed)
  const shared = (...given: Arguments<'generateX25519SharedKey'>): Uint8Array =>
    nodePrimitives.generateX25519SharedKey(...given)
  const alice = fromSeed(hex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a'))
  const bob = fromSeed(hex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb'))
  const aliceHex = '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a'
  const bobHex = 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'
  const secret = hex('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742')
  assertBytes(alice.publicKey, hex(aliceHex))
  assertBytes(bob.publicKey, hex(bobHex))
  assertBytes(shared(alice.privateKey, bob.publicKey), secret)
  assertBytes(shared(cut(bob.privateKey, 5), cut(alice.publicKey, 31)), secret)
})

test('makes key pairs that agree with the stock ones', () => {
  const ours = nodePrimitives.generateX25519KeyPair()
  const theirs = pureJsCrypto.generateX25519KeyPair()
  assert.equal(ours.privateKey.length, 32)
  assertBytes(ours.publicKey, pureJsCrypto.generateX25519KeyPairFromSeed(ours.privateKey).publicKey)
  assertBytes(
    nodePrimitives.generateX25519SharedKey(ours.privateKey, theirs.publicKey),
    pureJsCrypto.generateX25519SharedKey(theirs.privateKey, ours.publicKey)
  )
})

test('refuses public keys of small order, as the stock primitives do', () => {
  const { privateKey } = nodePrimitives.generateX25519KeyPair()
  const one = new Uint8Array(32)
  one[0] = 1
  for (const publicKey of [new Uint8Array(32), one]) {
    assert.throws(() => pureJsCrypto.generateX25519SharedKey(privateKey, publicKey))
    assert.throws(() => nodePrimitives.generateX25519SharedKey(privateKey, publicKey))
  }
  assert.throws(() => nodePrimitives.generateX25519SharedKey(privateKey, new Uint8Array(31)))
})

test('derives keys as RFC 5869, case 3, and as the stock primitives', () => {
  const [first, second] = nodePrimitives.getHKDF(NOTHING, new Uint8Array(22).fill(0x0b))
  assertBytes(first, hex('8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d'))
  assertBytes(second.subarray(0, 10), hex('9d201395faa4b61a96c8'))
  const chainingKey = randomBytes(32)
  for (const input of [NOTHING, randomBytes(32)]) {
    const expected = pureJsCrypto.getHKDF(chainingKey, input)
    nodePrimitives.getHKDF(chainingKey, input).forEach((key, index) => {
      assertBytes(key, expected[index]!)
    })
  }
})

test('hashes arrays and lists', () => {
  const abc = hex('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  assertBytes(nodePrimitives.hashSHA256(Buffer.from('abc')), abc)
  assertBytes(nodePrimitives.hashSHA256(cut(Buffer.from('abc'), 1)), abc)
  assertBytes(nodePrimitives.hashSHA256(NOTHING), pureJsCrypto.hashSHA256(NOTHING))
})

test('seals and opens every size as the stock primitives do, cut anywhere', () => {
  for (const size of SIZES) {
    const plaintext = randomBytes(size)
    const [key, nonce] = [randomBytes(32), randomBytes(12)]
    for (const additional of [NOTHING, randomBytes(32)]) {
      const sealed = bytesOf(
        pureJsCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, additional, key)
      )
      for (const part of [1, 7, 30_000, 65_519, size + 1].filter(part => size / part < 2000)) {
        const from = `${size} bytes in parts of ${part}`
        assertBytes(encrypt(cut(plaintext, part), nonce, additional, key), sealed, from)
        assertBytes(decrypt(cut(sealed, part), nonce, additional, key), plaintext, from)
      }
      assertBytes(encrypt(plaintext, nonce, additional, key), sealed, `${size} bytes`)
      assertBytes(decrypt(sealed, nonce, additional, key), plaintext, `${size} bytes`)
    }
  }
})

test('seals under every counter that noise reaches, up to its last', () => {
  const [key, plaintext] = [randomBytes(32), randomBytes(100)]
  for (const counter of [0, 1, 2 ** 31, 2 ** 32 - 1]) {
    const nonce = Buffer.alloc(12)
    nonce.writeUInt32LE(counter, 4)
    assertBytes(
      encrypt(plaintext, nonce, NOTHING, key),
      bytesOf(pureJsCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, NOTHING, key))
    )
  }
})

test('refuses what was tampered with, wherever', () => {
  for (const size of [0, 1, 100, 65_519]) {
    const [key, nonce, additional] = [randomBytes(32), randomBytes(12), randomBytes(32)]
    const sealed = bytesOf(encrypt(randomBytes(size), nonce, additional, key))
    const places = [0, size >> 1, size, size + TAG_BYTES - 1]
    for (const place of places) {
      assert.throws(() => decrypt(flip(sealed, place), nonce, additional, key))
      assert.throws(() => decrypt(cut(flip(sealed, place), 50), nonce, additional, key))
    }
    assert.throws(() => decrypt(sealed, flip(nonce, 4), additional, key))
    assert.throws(() => decrypt(sealed, nonce, flip(additional, 31), key))
    assert.throws(() => decrypt(sealed, nonce, NOTHING, key))
    assert.throws(() => decrypt(sealed, nonce, additional, flip(key, 0)))
    assert.throws(() => decrypt(sealed.subarray(0, -1), nonce, additional, key))
    assert.throws(() => decrypt(sealed.subarray(1), nonce, additional, key))
    assertBytes(encrypt(decrypt(sealed, nonce, additional, key), nonce, additional, key), sealed)
  }
})

test('refuses what is too short for a tag', () => {
  for (let size = 0; size < TAG_BYTES; size++) {
    const bytes = new Uint8Array(size)
    assert.throws(() => decrypt(bytes, new Uint8Array(12), NOTHING, new Uint8Array(32)), RangeError)
    assert.throws(() => decrypt(cut(bytes, 1), new Uint8Array(12), NOTHING, new Uint8Array(32)))
  }
})

test('keeps keys apart, though it remembers them', () => {
  const [nonce, plaintext] = [randomBytes(12), randomBytes(10)]
  const key = randomBytes(32)
  const sealed = bytesOf(encrypt(plaintext, nonce, NOTHING, key))
  for (let round = 0; round < 3; round++) {
    const other = randomBytes(32)
    assert.notDeepEqual(bytesOf(encrypt(plaintext, nonce, NOTHING, other)), sealed)
    assertBytes(encrypt(plaintext, nonce, NOTHING, key), sealed)
    assertBytes(encrypt(plaintext, nonce, NOTHING, Buffer.from(key)), sealed)
  }
})

test('gives away what it returns, and leaves alone what it was given', () => {
  const [key, nonce] = [randomBytes(32), randomBytes(12)]
  const kept: { given: Uint8Array; sealed: Bytes; opened: Bytes }[] = []
  for (let round = 0; round < 200; round++) {
    const given = randomBytes(randomInt(0, 66_000))
    const input = cut(Buffer.from(given), randomInt(1000, 40_000))
    const sealed = encrypt(input, nonce, NOTHING, key)
    assertBytes(input, given)
    for (const part of input) part.fill(0)
    const arrived = cut(bytesOf(sealed), randomInt(1000, 40_000))
    const opened = decrypt(arrived, nonce, NOTHING, key)
    assertBytes(arrived, bytesOf(sealed))
    for (const part of arrived) part.fill(0)
    kept.push({ given, sealed, opened })
  }
  for (const { given, sealed, opened } of kept) {
    assertBytes(opened, given)
    const expected = pureJsCrypto.chaCha20Poly1305Encrypt(given, nonce, NOTHING, key)
    assertBytes(sealed, bytesOf(expected))
  }
})

function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'))
}

/** A copy, also of a buffer, whose `slice` makes none. */
function bytesOf(bytes: Bytes): Uint8Array {
  return new Uint8Array(bytes.subarray())
}

function cut(bytes: Uint8Array, length: number): Uint8ArrayList {
  const list = new Uint8ArrayList()
  for (let start = 0; start < bytes.length; start += length) {
    list.append(new Uint8Array(bytes.subarray(start, start + length)))
  }
  return list
}

function flip(bytes: Uint8Array, place: number): Uint8Array {
  const flipped = new Uint8Array(bytes)
  flipped[place]! ^= 1
  return flipped
}

function assertBytes(actual: Bytes, expected: Uint8Array, message = 'the bytes differ'): void {
  assert.equal(Buffer.compare(bytesOf(actual), expected), 0, message)
}

test.run()
