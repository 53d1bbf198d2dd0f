import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { encode } from 'cborg'
import { BODY_BYTES_MAX } from '../../../src/peer/index.ts'
import {
  OFFERS_PER_MESSAGE_MAX,
  VOLUMES_PER_REQUEST_MAX,
  decodeOffers,
  decodeRecords,
  decodeRequest,
  encodeHeads,
  encodeOffers,
  encodeRequest
} from '../../../src/namespace/heads/head-messages.ts'
import type { Offer } from '../../../src/namespace/heads/head-messages.ts'
import { HEAD_BYTES_MAX } from '../../../src/namespace/heads/head-record.ts'
import { isShareName, isSharePath } from '../../../src/namespace/heads/share-name.ts'
import { volumeIdToBytes } from '../../../src/namespace/heads/volume-id.ts'
import { createOwner } from './fixtures.ts'

const test = suite('head messages')
const owner = await createOwner()
const id = volumeIdToBytes(owner.volume)

test('come back as they were', async () => {
  const volumes = [owner.volume, (await createOwner()).volume]
  for (const kind of ['newest', 'follow'] as const) {
    assert.deepEqual(decodeRequest(encodeRequest({ kind, volumes }).body), { kind, volumes })
  }
  assert.deepEqual(decodeRequest(encodeRequest({ kind: 'offers' }).body), { kind: 'offers' })
  const head = await owner.sign(1)
  assert.deepEqual(decodeRecords(encodeHeads([head]).body), [head.bytes])
  const offers: Offer[] = [
    { volume: owner.volume, name: 'Photos', path: '/' },
    { volume: owner.volume, name: 'Übung ☃', path: '/a b/c' }
  ]
  assert.deepEqual(decodeOffers(encodeOffers(offers).body), offers)
})

test('fit into one body at their largest', () => {
  const records = Array.from(
    { length: VOLUMES_PER_REQUEST_MAX },
    () => new Uint8Array(HEAD_BYTES_MAX)
  )
  assert.ok(encode(records).length < BODY_BYTES_MAX)
  const names = Array.from({ length: 47 }, () => '\u20ac'.repeat(85))
  const path = `/${names.join('/')}`
  const offer = { volume: owner.volume, name: '\u20ac'.repeat(85), path }
  const body = encodeOffers(Array.from({ length: OFFERS_PER_MESSAGE_MAX }, () => offer)).body
  assert.ok(encode(body).length < BODY_BYTES_MAX)
  assert.equal(decodeOffers(body).length, OFFERS_PER_MESSAGE_MAX)
})

test('refuse a request that is none', () => {
  const refused: unknown[] = [
    undefined,
    null,
    'newest',
    { 0: 'newest', 1: [], length: 2 },
    [],
    ['newest'],
    ['newest', 'all'],
    ['newest', [id], 1],
    ['newest', [id.subarray(1)]],
    ['newest', [owner.volume]],
    ['newest', [[id]]],
    ['offers', []],
    ['remove', [id]],
    [['newest'], [id]],
    ['newest', { length: 1, 0: id }],
    ['follow', Array.from({ length: VOLUMES_PER_REQUEST_MAX + 1 }, () => id)]
  ]
  for (const body of refused) assert.throws(() => decodeRequest(body), { code: 'EPROTO' })
  decodeRequest(['follow', Array.from({ length: VOLUMES_PER_REQUEST_MAX }, () => id)])
})

test('refuse a list of heads that is none', () => {
  const record = new Uint8Array(HEAD_BYTES_MAX)
  decodeRecords(Array.from({ length: VOLUMES_PER_REQUEST_MAX }, () => record))
  const refused: unknown[] = [
    undefined,
    null,
    record,
    {},
    ['text'],
    [null],
    [[record]],
    [new Uint8Array(HEAD_BYTES_MAX + 1)],
    Array.from({ length: VOLUMES_PER_REQUEST_MAX + 1 }, () => record)
  ]
  for (const body of refused) assert.throws(() => decodeRecords(body), { code: 'EPROTO' })
})

test('refuse offers that are none', () => {
  const good = { volume: id, name: 'photos', path: '/' }
  assert.equal(decodeOffers([{ ...good, later: 'ignored' }]).length, 1)
  const refused: unknown[] = [
    null,
    {},
    [null],
    ['photos'],
    [[]],
    [{ ...good, volume: owner.volume }],
    [{ volume: id, path: '/' }],
    [{ ...good, name: '../etc' }],
    [{ ...good, path: '/../etc' }],
    [{ ...good, path: 7 }],
    Array.from({ length: OFFERS_PER_MESSAGE_MAX + 1 }, () => good)
  ]
  for (const body of refused) assert.throws(() => decodeOffers(body), { code: 'EPROTO' })
})

test('take names that are safe as a directory entry and on a terminal', () => {
  for (const name of ['a', '...', 'a.b', ' ', 'Ελλάδα', '😀', 'x'.repeat(255), 'é'.repeat(127)]) {
    assert.ok(isShareName(name), name)
  }
  const bad = ['', '.', '..', 'a/b', '/', 'a\0', 'a\n', '\x1b[2J', '\x9b2J', '\u202etxt.exe']
  const long = ['x'.repeat(256), 'é'.repeat(128), '😀'.repeat(1_000_000)]
  for (const name of [...bad, ...long, '\ud800', 7, null, undefined, ['a']]) {
    assert.ok(!isShareName(name), JSON.stringify(name)?.slice(0, 20))
  }
})

test('take canonical paths only', () => {
  for (const path of ['/', '/a', '/a/b c/d', '/new\nline', `/${'x'.repeat(255)}`]) {
    assert.ok(isSharePath(path), path)
  }
  const bad = ['', 'a', './a', '/a/', '//', '/a//b', '/.', '/a/..', '/a\0b', '/\ud800']
  for (const path of [...bad, `/${'x'.repeat(256)}`, '/x'.repeat(2049), 7, null]) {
    assert.ok(!isSharePath(path), JSON.stringify(path).slice(0, 20))
  }
  assert.ok(isSharePath('/x'.repeat(2048)))
})

test.run()
