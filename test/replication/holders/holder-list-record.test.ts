import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { encode } from 'cborg'
import fc from 'fast-check'
import { importSigningKey, publicKeyOf } from '../../../src/peer/index.ts'
import {
  HOLDERS_MAX,
  HOLDER_LIST_BYTES_MAX,
  ON_MAX,
  ON_TOTAL_MAX,
  OVERRIDES_MAX,
  ZONE_BYTES_MAX,
  decodeHolderList,
  encodeHolderList
} from '../../../src/replication/index.ts'
import type { Holder, HolderListFields, Policy } from '../../../src/replication/index.ts'
import { createListOwner, fieldsFor, holderFor, inode, peerFor } from '../fixtures.ts'
import type { ListOwner } from '../fixtures.ts'

const test = suite('holder list record')
const SIGNATURE_ITEM_BYTES = 66
const DOMAIN = new TextEncoder().encode('warren-holders:1:')

const example: Partial<HolderListFields> = {
  sequence: 7,
  policy: { replicas: 3, minimum: 2, on: [peerFor(9)] },
  overrides: new Map<ReturnType<typeof inode>, Policy>([
    [inode(90), { replicas: 'all', minimum: 1, on: [] }],
    [inode(12), { replicas: 5, minimum: 5, on: [peerFor(1), peerFor(2)].toSorted() }]
  ]),
  holders: [
    holderFor(1, { zone: 'Zürich' }),
    holderFor(2, { pledgeBytes: Number.MAX_SAFE_INTEGER, state: 'draining' }),
    holderFor(3, { pledgeBytes: 1, zone: 'z'.repeat(ZONE_BYTES_MAX) })
  ]
}

/** A record of these items, signed as the owner would: what only a hostile owner sends. */
async function signItems({ key }: ListOwner, items: readonly unknown[]): Promise<Uint8Array> {
  const bytes = new Uint8Array(encode([...items, new Uint8Array(64)]))
  return await signRecord(key, bytes)
}

async function signRecord(key: ListOwner['key'], bytes: Uint8Array): Promise<Uint8Array> {
  const content = bytes.subarray(0, bytes.length - SIGNATURE_ITEM_BYTES)
  bytes.set(await key.sign(new Uint8Array([...DOMAIN, ...content])), bytes.length - 64)
  return bytes
}

/** The items of a good list with one holder and one override. */
function goodItems({ key }: ListOwner): unknown[] {
  const holder = [publicKeyOf(peerFor(1)), 1000, 'here', 0]
  return [1, key.publicKey, 4, [3, 2, []], [[12, 0, 1, [publicKeyOf(peerFor(1))]]], [holder]]
}

test('gives back what was signed', async () => {
  const owner = await createListOwner()
  const list = await owner.sign(example)
  assert.equal(list.volume, owner.volume)
  assert.equal(list.sequence, 7)
  assert.deepEqual(list.policy, example.policy)
  assert.deepEqual(list.overrides, example.overrides)
  const byPeer = (one: Holder, other: Holder): number => (one.peer < other.peer ? -1 : 1)
  assert.deepEqual(list.holders.toSorted(byPeer), example.holders!.toSorted(byPeer))
  assert.deepEqual(await decodeHolderList(list.bytes, owner.volume), list)
  assert.equal(list.bytes.constructor, Uint8Array)
})

test('is the same bytes whatever order it was given in', async () => {
  const owner = await createListOwner()
  const one = await owner.sign(example)
  const other = await owner.sign({
    ...example,
    overrides: new Map(
      [...example.overrides!].toReversed().map(([directory, policy]) => {
        return [directory, { ...policy, on: policy.on.toReversed() }]
      })
    ),
    holders: example.holders!.toReversed()
  })
  assert.deepEqual(other, one)
})

test('keeps its format', async () => {
  const privateKey = Buffer.from(
    '0801' +
      '1240' +
      '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60' +
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    'hex'
  )
  const key = await importSigningKey(privateKey)
  const { bytes } = await encodeHolderList(
    key,
    fieldsFor({
      sequence: 5,
      overrides: new Map([
        [inode(300), { replicas: 'all' as const, minimum: 1, on: [peerFor(1)] }]
      ]),
      holders: [holderFor(1, { zone: 'ab', state: 'draining' })]
    })
  )
  assert.equal(
    Buffer.from(bytes.subarray(0, -64)).toString('hex'),
    '8701' +
      '5820d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a' +
      '05' +
      '83030280' +
      '818419012c0001' +
      `815820${Buffer.from(publicKeyOf(peerFor(1))).toString('hex')}` +
      '8184' +
      `5820${Buffer.from(publicKeyOf(peerFor(1))).toString('hex')}` +
      '1a3b9aca00' +
      '626162' +
      '01' +
      '5840'
  )
})

test('any list that may be signed comes back as it was', async () => {
  const owner = await createListOwner()
  const count = fc.integer({ min: 1, max: HOLDERS_MAX })
  const policy: fc.Arbitrary<Policy> = fc.oneof(
    fc.tuple(count, count).map(([one, other]) => {
      return { replicas: Math.max(one, other), minimum: Math.min(one, other), on: [] }
    }),
    fc.tuple(count, fc.uniqueArray(fc.nat(99), { maxLength: ON_MAX })).map(([minimum, on]) => {
      return { replicas: 'all' as const, minimum, on: on.map(peerFor).toSorted() }
    })
  )
  const holder = fc.record({
    pledgeBytes: fc.maxSafeNat().map(bytes => Math.max(1, bytes)),
    zone: fc.constantFrom('', 'a', 'Ω', '机房', '🌍', 'rack 7/b'),
    state: fc.constantFrom('active' as const, 'draining' as const)
  })
  await fc.assert(
    fc.asyncProperty(
      fc.maxSafeNat(),
      policy,
      fc.array(fc.tuple(fc.integer({ min: 1, max: 2 ** 40 }), policy), { maxLength: 6 }),
      fc.array(holder, { maxLength: 6 }),
      async (sequence, defaultPolicy, overrides, holders) => {
        const list = await owner.sign({
          sequence,
          policy: defaultPolicy,
          overrides: new Map(overrides.map(([number, value]) => [inode(number), value])),
          holders: holders.map((fields, index) => holderFor(index, fields))
        })
        assert.deepEqual(await decodeHolderList(list.bytes, owner.volume), list)
      }
    ),
    { numRuns: 60 }
  )
})

test('does not keep alive the message it came in', async () => {
  const owner = await createListOwner()
  const { bytes } = await owner.sign(example)
  const message = new Uint8Array(100_000)
  message.set(bytes, 500)
  const list = await decodeHolderList(message.subarray(500, 500 + bytes.length), owner.volume)
  assert.equal(list.bytes.buffer.byteLength, bytes.length)
  message.fill(0)
  assert.deepEqual(list.bytes, bytes)
})

test('refuses to sign what is over a limit or makes no sense', async () => {
  const { sign } = await createListOwner()
  const many = (length: number): Holder[] => Array.from({ length }, (_, index) => holderFor(index))
  const naming = (length: number): Policy => {
    return { replicas: 2, minimum: 1, on: Array.from({ length }, (_, index) => peerFor(index)) }
  }
  const policies = (length: number, policy = naming(0)): HolderListFields['overrides'] =>
    new Map(Array.from({ length }, (_, index) => [inode(index + 1), policy]))
  const refused: Partial<HolderListFields>[] = [
    ...[-1, 1.5, NaN, 2 ** 53].map(sequence => ({ sequence })),
    ...[0, -1, 1.5, NaN, HOLDERS_MAX + 1].map(replicas => ({
      policy: { replicas, minimum: 1, on: [] }
    })),
    ...[0, 4, -1, 1.5, NaN].map(minimum => ({ policy: { replicas: 3, minimum, on: [] } })),
    { policy: { replicas: 'all', minimum: HOLDERS_MAX + 1, on: [] } },
    { policy: { replicas: 'some' as 'all', minimum: 1, on: [] } },
    { overrides: new Map([[inode(0), { replicas: 3, minimum: 2, on: [] }]]) },
    { overrides: new Map([[inode(5), { replicas: 1, minimum: 2, on: [] }]]) },
    { overrides: policies(OVERRIDES_MAX + 1) },
    { policy: naming(ON_MAX + 1) },
    { policy: { ...naming(0), on: [peerFor(1), peerFor(1)] } },
    { policy: { ...naming(0), on: ['bob' as Holder['peer']] } },
    { overrides: new Map([[inode(5), naming(ON_MAX + 1)]]) },
    { policy: naming(1), overrides: policies(ON_TOTAL_MAX / ON_MAX, naming(ON_MAX)) },
    { holders: many(HOLDERS_MAX + 1) },
    { holders: [holderFor(1), holderFor(1, { zone: 'elsewhere' })] },
    ...[0, -1, 1.5, 2 ** 53].map(pledgeBytes => ({ holders: [holderFor(1, { pledgeBytes })] })),
    { holders: [holderFor(1, { state: 'gone' as 'active' })] },
    { holders: [holderFor(1, { peer: 'bob' as Holder['peer'] })] },
    ...['z'.repeat(ZONE_BYTES_MAX + 1), 'é'.repeat(33), '\ud800', 'a\nb', '\u001b[2J'].map(
      zone => ({
        holders: [holderFor(1, { zone })]
      })
    )
  ]
  for (const fields of refused) {
    await assert.rejects(sign(fields), { code: 'EINVAL' }, JSON.stringify(fields))
  }
})

test('the largest list fits, and is read in little time', async () => {
  const owner = await createListOwner()
  const on = Array.from({ length: ON_MAX }, (_, index) => peerFor(index)).toSorted()
  const list = await owner.sign({
    sequence: Number.MAX_SAFE_INTEGER,
    policy: { replicas: HOLDERS_MAX, minimum: HOLDERS_MAX, on: [] },
    overrides: new Map(
      Array.from({ length: OVERRIDES_MAX }, (_, index) => [
        inode(Number.MAX_SAFE_INTEGER - index),
        { replicas: HOLDERS_MAX, minimum: HOLDERS_MAX, on: index < ON_TOTAL_MAX / ON_MAX ? on : [] }
      ])
    ),
    holders: Array.from({ length: HOLDERS_MAX }, (_, index) =>
      holderFor(index, {
        pledgeBytes: Number.MAX_SAFE_INTEGER,
        zone: `${index}`.padStart(ZONE_BYTES_MAX, '_'),
        state: 'draining'
      })
    )
  })
  assert.ok(list.bytes.length < 252 * 1024, `${list.bytes.length} bytes`)
  assert.deepEqual(await decodeHolderList(list.bytes, owner.volume), list)
})

test('refuses every truncation and every trailing byte', async () => {
  const owner = await createListOwner()
  const { bytes } = await owner.sign(example)
  for (let length = 0; length < bytes.length; length++) {
    const cut = decodeHolderList(bytes.subarray(0, length), owner.volume)
    await assert.rejects(cut, { code: 'EPROTO' }, `${length} bytes`)
  }
  const longer = decodeHolderList(new Uint8Array([...bytes, 0]), owner.volume)
  await assert.rejects(longer, { code: 'EPROTO' })
})

test('refuses every record with one bit changed', async () => {
  const owner = await createListOwner()
  const { bytes } = await owner.sign(example)
  for (let index = 0; index < bytes.length; index++) {
    const changed = bytes.slice()
    changed[index]! ^= 1 << (index % 8)
    await assert.rejects(
      decodeHolderList(changed, owner.volume),
      ({ code }: { code?: unknown }) => code === 'EPROTO' || code === 'EBADMSG',
      `byte ${index}`
    )
  }
})

test("refuses another owner's signature, and the list of another volume", async () => {
  const [alice, mallory] = await Promise.all([createListOwner(), createListOwner()])
  const forged = await encodeHolderList(
    { ...alice.key, publicKey: alice.key.publicKey, sign: bytes => mallory.key.sign(bytes) },
    fieldsFor(example)
  )
  await assert.rejects(decodeHolderList(forged.bytes, alice.volume), { code: 'EBADMSG' })
  const other = await mallory.sign(example)
  await assert.rejects(decodeHolderList(other.bytes, alice.volume), { code: 'EPROTO' })
})

test('refuses a signature of the same bytes without their domain', async () => {
  const owner = await createListOwner()
  const bytes = (await owner.sign(example)).bytes.slice()
  const content = bytes.subarray(0, bytes.length - SIGNATURE_ITEM_BYTES)
  bytes.set(await owner.key.sign(content), bytes.length - 64)
  await assert.rejects(decodeHolderList(bytes, owner.volume), { code: 'EBADMSG' })
})

test('refuses what the owner signed and is not exactly a list', async () => {
  const owner = await createListOwner()
  const good = goodItems(owner)
  const holder = (good[5] as unknown[][])[0]!
  const keys = [1, 2].map(number => publicKeyOf(peerFor(number)))
  const [one, two] = keys.toSorted((a, b) => Buffer.compare(a, b))
  const sorted = [one, two].map(key => holder.with(0, key))
  const replaced = (index: number, value: unknown): unknown[] => good.with(index, value)
  const withHolder = (index: number, value: unknown): unknown[] =>
    replaced(5, [holder.with(index, value)])
  assert.ok(await decodeHolderList(await signItems(owner, good), owner.volume))
  assert.ok(await decodeHolderList(await signItems(owner, replaced(5, sorted)), owner.volume))
  const named = replaced(3, [3, 2, [one, two]])
  assert.ok(await decodeHolderList(await signItems(owner, named), owner.volume))
  const refused: unknown[][] = [
    ...[0, 2, null].map(version => replaced(0, version)),
    ...[-1, 1.5, '4', null, 2n ** 53n, 2n ** 63n].map(value => replaced(2, value)),
    ...[[], [3], [3, 2], [3, 2, 1], [3, 2, null], [3, 2, [], []]].map(value => replaced(3, value)),
    ...[
      [1, 2],
      [3, 0],
      [-3, 1],
      ['all', 1],
      [1025, 1]
    ].map(value => replaced(3, [...value, []])),
    ...[3, null].map(value => replaced(3, value)),
    ...[[two, one], [one, one], [peerFor(1)], [new Uint8Array(31)], [null], { 0: one }].map(on =>
      replaced(3, [3, 2, on])
    ),
    ...[{}, 7, null, [12], [[12, 3]], [[12, 3, 2]], [[12, [3, 2, []]]]].map(value =>
      replaced(4, value)
    ),
    ...[[[0, 3, 2, []]], [[1.5, 3, 2, []]], [[12, 3, 2, 1]], [[12, 3, 2, [], 1]]].map(value =>
      replaced(4, value)
    ),
    replaced(4, [
      [12, 3, 2, []],
      [12, 3, 2, []]
    ]),
    replaced(4, [
      [13, 3, 2, []],
      [12, 3, 2, []]
    ]),
    replaced(5, {}),
    replaced(5, [holder, holder]),
    replaced(5, sorted.toReversed()),
    replaced(5, [holder.slice(0, 3)]),
    replaced(5, [[...holder, 0]]),
    replaced(5, [Object.fromEntries(holder.entries())]),
    ...[new Uint8Array(31), new Uint8Array(33), 'peer', null].map(key => withHolder(0, key)),
    ...[0, -1, 1.5, '1', null].map(pledge => withHolder(1, pledge)),
    ...['z'.repeat(65), 7, new Uint8Array(3), null, 'a\u0000'].map(zone => withHolder(2, zone)),
    ...[2, -1, 'active', true, null].map(state => withHolder(3, state)),
    good.slice(0, 5),
    [...good, 'a field of the future']
  ]
  for (const items of refused) {
    const bytes = await signItems(owner, items)
    await assert.rejects(decodeHolderList(bytes, owner.volume), { code: 'EPROTO' }, show(items))
  }
  for (const value of [undefined, null, 'text', [1, 2], {}]) {
    await assert.rejects(decodeHolderList(value, owner.volume), { code: 'EPROTO' })
  }
})

test('refuses other encodings of a good list, signed or not', async () => {
  const owner = await createListOwner()
  const good = await signItems(owner, goodItems(owner))
  const at = 2 + 34
  const splice = (from: number, removed: number, ...added: number[]): Promise<Uint8Array> =>
    signRecord(
      owner.key,
      new Uint8Array([...good.subarray(0, from), ...added, ...good.subarray(from + removed)])
    )
  const zoneAt = Buffer.from(good).indexOf('here')
  const others = [
    // Sequence 4 in two bytes and as a float; the policy with an indefinite and a long length.
    splice(at, 1, 0x18, 4),
    splice(at, 1, 0xf9, 0x44, 0),
    splice(at + 1, 4, 0x9f, 3, 2, 0x80, 0xff),
    splice(at + 1, 1, 0x98, 3),
    // A tag, bytes that are no UTF-8, and a zone in pieces.
    splice(at, 1, 0xc1, 4),
    splice(zoneAt, 1, 0xff),
    splice(zoneAt - 1, 5, 0x7f, 0x62, 0x68, 0x65, 0x62, 0x72, 0x65, 0xff)
  ]
  for (const bytes of await Promise.all(others)) {
    await assert.rejects(decodeHolderList(bytes, owner.volume), { code: 'EPROTO' })
  }
  const longHeader = new Uint8Array([0x98, 7, ...good.subarray(1)])
  await assert.rejects(decodeHolderList(longHeader, owner.volume), { code: 'EPROTO' })
})

test('refuses lying lengths and deep nesting, signed by the owner', async () => {
  const owner = await createListOwner()
  const good = await signItems(owner, goodItems(owner))
  const start = good.subarray(0, 37)
  const end = good.subarray(-SIGNATURE_ITEM_BYTES)
  const middles = [
    [0x9b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
    [0x9a, 0xff, 0xff, 0xff, 0xff],
    [0x5b, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    [0x7a, 0x7f, 0xff, 0xff, 0xff],
    [0xbb, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
    Array.from({ length: 250_000 }, () => 0x81)
  ]
  for (const middle of middles) {
    const bytes = await signRecord(owner.key, new Uint8Array([...start, ...middle, ...end]))
    await assert.rejects(decodeHolderList(bytes, owner.volume), { code: 'EPROTO' })
  }
})

test('refuses a record over the limit before it looks at it', async () => {
  const owner = await createListOwner()
  const good = await signItems(owner, goodItems(owner))
  for (const length of [HOLDER_LIST_BYTES_MAX + 1, 100_000_000]) {
    const bytes = new Uint8Array(length)
    bytes.set(good)
    bytes.set(good.subarray(-SIGNATURE_ITEM_BYTES), length - SIGNATURE_ITEM_BYTES)
    await assert.rejects(decodeHolderList(bytes, owner.volume), { code: 'EPROTO' })
  }
})

test('parses nothing that the owner did not sign', async () => {
  const owner = await createListOwner()
  const good = await signItems(owner, goodItems(owner))
  const nonsense = new Uint8Array(200_000).fill(0x81)
  nonsense.set(good.subarray(0, 36))
  nonsense.set(good.subarray(-SIGNATURE_ITEM_BYTES), nonsense.length - SIGNATURE_ITEM_BYTES)
  await assert.rejects(decodeHolderList(nonsense, owner.volume), { code: 'EBADMSG' })
})

function show(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'bigint' ? String(item) : item
  )
}

test.run()
