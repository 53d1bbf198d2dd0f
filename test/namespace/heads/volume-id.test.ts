import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { peerIdFromString } from '@libp2p/peer-id'
import { base36 } from 'multiformats/bases/base36'
import {
  VOLUME_ID_BYTES,
  createVolumeId,
  ownerKeyOf,
  parseVolumeId,
  volumeIdFromBytes,
  volumeIdToBytes
} from '../../../src/namespace/heads/volume-id.ts'
import { peerIdOf } from '../../../src/peer/index.ts'
import { createOwner } from './fixtures.ts'

const test = suite('volume id')

test('is the name that IPNS gives the same key', async () => {
  const { key, volume } = await createOwner()
  assert.equal(volume, peerIdFromString(peerIdOf(key.publicKey)).toCID().toString(base36))
  assert.match(volume, /^k51qzi5uqu5d[a-z0-9]{50}$/)
})

test('goes to bytes and back', async () => {
  const { key, volume } = await createOwner()
  assert.deepEqual(ownerKeyOf(volume), key.publicKey)
  assert.equal(volumeIdToBytes(volume).length, VOLUME_ID_BYTES)
  assert.equal(volumeIdFromBytes(volumeIdToBytes(volume)), volume)
  assert.equal(parseVolumeId(volume), volume)
})

test('has one length of text for every key', () => {
  for (const byte of [0, 1, 127, 255]) {
    const volume = createVolumeId(new Uint8Array(32).fill(byte))
    assert.equal(parseVolumeId(volume), volume)
    assert.equal(volume.length, 62)
  }
})

test('is made of 32 bytes and no other number', () => {
  assert.throws(() => createVolumeId(new Uint8Array(31)), TypeError)
  assert.throws(() => createVolumeId(new Uint8Array(33)), TypeError)
})

test('refuses text that is no id, or another spelling of one', async () => {
  const { volume, key } = await createOwner()
  const refused = [
    '',
    'k',
    volume.slice(0, -1),
    volume + '0',
    volume.toUpperCase(),
    'K' + volume.slice(1),
    ' ' + volume.slice(1),
    volume.slice(0, -1) + '-',
    'k' + 'z'.repeat(61),
    peerIdOf(key.publicKey),
    'k'.repeat(10_000_000)
  ]
  for (const text of refused) assert.throws(() => parseVolumeId(text), { code: 'EINVAL' })
})

test('refuses every id with one character changed in its header', async () => {
  const { volume } = await createOwner()
  for (let index = 1; index < 11; index++) {
    const changed = volume.slice(0, index) + '0' + volume.slice(index + 1)
    assert.throws(() => parseVolumeId(changed), { code: 'EINVAL' }, `at ${index}`)
  }
})

test('refuses bytes that are no id', async () => {
  const bytes = volumeIdToBytes((await createOwner()).volume)
  const refused: unknown[] = [
    undefined,
    null,
    'text',
    [...bytes],
    bytes.subarray(1),
    bytes.subarray(0, -1),
    new Uint8Array([...bytes, 0]),
    new Uint8Array(VOLUME_ID_BYTES),
    new Uint8Array(1_000_000)
  ]
  for (const value of refused) assert.throws(() => volumeIdFromBytes(value), { code: 'EPROTO' })
  for (let index = 0; index < 8; index++) {
    const changed = bytes.slice()
    changed[index]! ^= 1
    assert.throws(() => volumeIdFromBytes(changed), { code: 'EPROTO' }, `at ${index}`)
  }
})

test.run()
