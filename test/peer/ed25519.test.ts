import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import {
  createSigningKey,
  importSigningKey,
  isPeerId,
  peerIdOf,
  publicKeyOf,
  verifySignature
} from '../../src/peer/index.ts'

const test = suite('signing keys')

const bytes = new TextEncoder().encode('what is signed')

test('sign what others can verify', async () => {
  const { publicKey, ...key } = await withKey()
  const signature = await key.sign(bytes)
  assert.equal(publicKey.length, 32)
  assert.equal(signature.length, 64)
  assert.equal(await verifySignature({ publicKey, bytes, signature }), true)
  assert.equal(await verifySignature({ publicKey, bytes: bytes.subarray(1), signature }), false)
  const other = await createSigningKey()
  assert.equal(await verifySignature({ publicKey: other.publicKey, bytes, signature }), false)
})

test('verify to false, without throwing, at junk', async () => {
  const { publicKey, ...key } = await withKey()
  const signature = await key.sign(bytes)
  const junk = [0, 1, 31, 32, 33, 63, 64, 65].flatMap(length => [
    new Uint8Array(length),
    new Uint8Array(length).fill(0xff),
    crypto.getRandomValues(new Uint8Array(length))
  ])
  for (const wrong of junk) {
    assert.equal(await verifySignature({ publicKey: wrong, bytes, signature }), false)
    assert.equal(await verifySignature({ publicKey, bytes, signature: wrong }), false)
  }
  for (let index = 0; index < 64; index++) {
    const changed = signature.slice()
    changed[index]! ^= 1
    assert.equal(await verifySignature({ publicKey, bytes, signature: changed }), false)
  }
})

test('survive export and import', async () => {
  const key = await createSigningKey()
  const again = await importSigningKey(key.export())
  assert.deepEqual(again.publicKey, key.publicKey)
  assert.deepEqual(await again.sign(bytes), await key.sign(bytes))
})

test('are not imported from anything else', async () => {
  const secp256k1 = privateKeyToProtobuf(await generateKeyPair('secp256k1'))
  const exported = (await createSigningKey()).export()
  for (const wrong of [new Uint8Array(0), bytes, secp256k1, exported.subarray(0, 40)]) {
    await assert.rejects(importSigningKey(wrong), { code: 'EINVAL' })
  }
})

test('name the peer that libp2p would', async () => {
  const key = await createSigningKey()
  const expected = peerIdFromPrivateKey(privateKeyFromProtobuf(key.export())).toString()
  const id = peerIdOf(key.publicKey)
  assert.equal(id, expected)
  assert.deepEqual(publicKeyOf(id), key.publicKey)
  assert.equal(isPeerId(id), true)
})

test('are not found in other text', () => {
  const texts = [
    '',
    'bob',
    '/ip4/127.0.0.1/tcp/1',
    '12D3KooW',
    'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N',
    'z'.repeat(1e6)
  ]
  for (const text of texts) {
    assert.equal(isPeerId(text), false)
    assert.throws(() => publicKeyOf(text), { code: 'EINVAL' })
  }
})

async function withKey(): Promise<{
  publicKey: Uint8Array
  sign(bytes: Uint8Array): Promise<Uint8Array>
}> {
  const key = await createSigningKey()
  return { publicKey: key.publicKey, sign: toSign => key.sign(toSign) }
}

test.run()
