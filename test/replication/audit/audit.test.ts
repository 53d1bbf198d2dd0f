/** Alice audits holders that have their blocks, lost some, lie, stay silent or ask others. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { createBlock, createMemoryBlockStore } from '../../../src/blocks/index.ts'
import type { Block, BlockId, BlockStore } from '../../../src/blocks/index.ts'
import type { CallHandler, Peer, PeerId } from '../../../src/peer/index.ts'
import {
  REPLICAS_PROTOCOL,
  createAuditHandler,
  createAuditor
} from '../../../src/replication/index.ts'
import type { Auditor } from '../../../src/replication/index.ts'
import {
  AUDIT_BURST,
  AUDIT_CHALLENGES_MAX,
  AUDIT_CHALLENGES_PER_SECOND,
  AUDIT_RANGE_BYTES,
  NONCE_BYTES,
  PREPARED_MAX,
  PREPARED_PER_HOLDER_MAX
} from '../../../src/replication/audit/audit-limits.ts'
import {
  decodeAuditAnswer,
  decodeAuditRequest,
  encodeAuditRequest,
  proveRange
} from '../../../src/replication/audit/audit-messages.ts'
import { PreparedChallenges } from '../../../src/replication/audit/prepared-challenges.ts'
import {
  Holders,
  SOMEBODY,
  backgroundClock,
  codeOf,
  createRandom,
  createRandomBytes,
  sorted
} from '../replicas-fixtures.ts'

interface Context {
  holders: Holders
  blocks: Block[]
  ids: BlockId[]
}

const test = suite<Context>('audit')
test.before(async context => {
  const random = createRandomBytes(3)
  const sizes = Array.from({ length: 400 }, (_, index) => 1 + index * 50)
  context.blocks = await Promise.all(sizes.map(size => createBlock('raw', random(size))))
  context.ids = context.blocks.map(({ id }) => id)
})
test.before.each(context => {
  context.holders = new Holders()
})
test.after.each(({ holders }) => holders.stop())

async function storeOf(blocks: readonly Block[]): Promise<BlockStore> {
  const store = createMemoryBlockStore()
  await store.putMany(blocks)
  return store
}

async function addAuditor(holders: Holders, blocks: readonly Block[], seed = 1): Promise<Auditor> {
  return createAuditor({
    peer: await holders.add(),
    store: await storeOf(blocks),
    clock: backgroundClock,
    random: createRandom(seed),
    randomBytes: createRandomBytes(seed)
  })
}

/** A handler that is given its peer only afterwards. */
async function addHolder(
  holders: Holders,
  store: Pick<BlockStore, 'get'>,
  options: { mayAudit?: () => boolean; clock?: { now(): number } } = {}
): Promise<Peer> {
  const peer = await holders.add({ audit: (...call) => audit(...call) })
  const { mayAudit = () => true, clock = backgroundClock } = options
  const audit = createAuditHandler({ peer, store, clock, mayAudit })
  return peer
}

test('a holder that has everything proves it', async ({ holders, blocks, ids }) => {
  const alice = await addAuditor(holders, blocks)
  const bob = await addHolder(holders, await storeOf(blocks))
  const before = holders.network.bytesCarried()
  const report = await alice.audit(bob.id, [...ids, ...ids])
  assert.deepEqual(sorted(report.proven), sorted(ids))
  assert.deepEqual(
    [report.missing, report.wrong, report.silent, report.unchecked],
    [[], [], [], []]
  )
  assert.ok(report.slowestMs !== undefined && report.slowestMs < 10_000)
  const bytes = (holders.network.bytesCarried() - before) / ids.length
  assert.ok(bytes < 110, `${bytes} bytes a challenge`)
})

test('what a holder admits, and what we cannot check', async ({ holders, blocks, ids }) => {
  const alice = await addAuditor(holders, blocks.slice(0, 8))
  const bob = await addHolder(holders, await storeOf(blocks.slice(5)))
  const report = await alice.audit(bob.id, ids.slice(0, 10))
  assert.deepEqual(report.missing, ids.slice(0, 5))
  assert.deepEqual(report.proven, ids.slice(5, 8))
  assert.deepEqual(report.unchecked, ids.slice(8, 10))
  assert.deepEqual((await alice.audit(bob.id, [])).slowestMs, undefined)
})

test('a holder whose copies are damaged is found wrong', async ({ holders, blocks, ids }) => {
  const large = blocks.slice(-20)
  const alice = await addAuditor(holders, large)
  const damaged = large.map(({ id, bytes }) => ({ id, bytes: bytes.map(byte => byte ^ 1) }))
  const bob = await addHolder(holders, await storeOf(damaged))
  const report = await alice.audit(bob.id, ids.slice(-20))
  assert.deepEqual(report.wrong, ids.slice(-20))
})

test('each byte of a block is asked about, the ends too', async ({ holders }) => {
  const size = 10_000
  const block = await createBlock('raw', createRandomBytes(1)(size))
  const asked = new Uint32Array(size)
  const liar = await holders.add({
    audit: async function* ({ body }) {
      const [challenge] = decodeAuditRequest(body)
      const { offset, length } = challenge!
      assert.equal(length, AUDIT_RANGE_BYTES)
      for (let i = offset; i < offset + length; i++) asked[i]!++
      yield { body: { proofs: [null] } }
    }
  })
  const alice = await addAuditor(holders, [block])
  for (let i = 0; i < 200; i++) await alice.audit(liar.id, [block.id])
  assert.ok(Math.min(...asked) > 20, `a byte was asked about ${Math.min(...asked)} times`)
})

test('a proof cannot be kept, nor had from another holder', async ({ holders, blocks, ids }) => {
  const alice = await addAuditor(holders, blocks)
  const bob = await addHolder(holders, await storeOf(blocks))
  const kept: unknown[] = []
  let keeps = false
  const mallory: Peer = await holders.add({
    audit: async function* ({ body }) {
      if (keeps) return yield { body: kept.pop() }
      for await (const answer of mallory.call(bob.id, REPLICAS_PROTOCOL, { body })) {
        kept.push(answer.body)
        yield { body: answer.body }
      }
    }
  })
  assert.equal((await alice.audit(mallory.id, ids.slice(0, 9))).wrong.length, 9)
  keeps = true
  assert.equal((await alice.audit(mallory.id, ids.slice(0, 9))).wrong.length, 9)
})

test('a holder that fetches the bytes in time passes: the limit of audits', async ({
  holders,
  blocks,
  ids
}) => {
  const alice = await addAuditor(holders, blocks)
  const elsewhere = await storeOf(blocks)
  const slow: Pick<BlockStore, 'get'> = {
    get: async id => {
      await new Promise(resolve => setTimeout(resolve, 20))
      return elsewhere.get(id)
    }
  }
  const mallory = await addHolder(holders, slow)
  const report = await alice.audit(mallory.id, ids.slice(0, 16))
  assert.equal(report.proven.length, 16)
  assert.ok(report.slowestMs! >= 75, 'it takes four rounds of fetching, and that shows')
  const hurried = await alice.audit(mallory.id, ids.slice(0, 16), { timeoutMs: 40 })
  assert.equal(hurried.silent.length, 16)
})

test('silence, refusals and garbage', async ({ holders, blocks, ids }) => {
  const alice = await addAuditor(holders, blocks)
  const some = ids.slice(0, 3)
  const answering = async (audit: CallHandler): Promise<Peer> => holders.add({ audit })
  const mute = await answering(async function* () {
    yield await new Promise<never>(() => {})
  })
  const late = await alice.audit(mute.id, some, { timeoutMs: 30 })
  assert.deepEqual([late.silent, late.slowestMs], [some, undefined])
  const other = await holders.add()
  assert.deepEqual((await alice.audit(other.id, some)).silent, some)
  await other.stop()
  assert.deepEqual((await alice.audit(other.id, some)).silent, some)
  const none = await answering(async function* () {})
  assert.deepEqual((await alice.audit(none.id, some)).wrong, some)
  for (const body of [null, {}, { proofs: [null] }, { proofs: some.map(() => 7) }]) {
    const liar = await answering(async function* () {
      yield { body }
    })
    assert.deepEqual((await alice.audit(liar.id, some)).wrong, some)
  }
  const signal = AbortSignal.timeout(30)
  await assert.rejects(alice.audit(mute.id, some, { signal }), { name: 'TimeoutError' })
})

test('a block that the auditor may not have looks missing', async ({ holders, blocks, ids }) => {
  const alice = await addAuditor(holders, blocks)
  const bob = await addHolder(holders, await storeOf(blocks), { mayAudit: () => false })
  assert.deepEqual((await alice.audit(bob.id, ids.slice(0, 2))).missing, ids.slice(0, 2))
})

test('who audits too much waits', async ({ holders, blocks, ids }) => {
  let now = 0
  const bob = await addHolder(holders, await storeOf(blocks), { clock: { now: () => now } })
  const alice = await addAuditor(holders, blocks)
  const some = ids.slice(0, AUDIT_CHALLENGES_MAX)
  for (let asked = 0; asked < AUDIT_BURST; asked += some.length) {
    assert.equal((await alice.audit(bob.id, some)).silent.length, 0)
  }
  assert.equal((await alice.audit(bob.id, ids.slice(0, 1))).silent.length, 1)
  const carol = await addAuditor(holders, blocks)
  assert.equal((await carol.audit(bob.id, ids.slice(0, 1))).proven.length, 1)
  now += 1000
  const returned = ids.slice(0, AUDIT_CHALLENGES_PER_SECOND)
  assert.equal((await alice.audit(bob.id, returned)).proven.length, returned.length)
  assert.equal((await alice.audit(bob.id, ids.slice(0, 1))).silent.length, 1)
})

test('prepared challenges work once, without the blocks', async ({ holders, blocks, ids }) => {
  const alice = await addAuditor(holders, [])
  const bob = await addHolder(holders, await storeOf(blocks.slice(1, 5)))
  await alice.prepare(bob.id, blocks.slice(0, 4))
  assert.deepEqual(alice.prepared(bob.id), ids.slice(0, 4))
  assert.deepEqual(alice.prepared(SOMEBODY), [])
  const first = await alice.audit(bob.id, ids.slice(0, 5))
  assert.deepEqual(first.missing, ids.slice(0, 1))
  assert.deepEqual(first.proven, ids.slice(1, 4))
  assert.deepEqual(first.unchecked, ids.slice(4, 5))
  assert.deepEqual(alice.prepared(bob.id), [])
  assert.deepEqual((await alice.audit(bob.id, ids.slice(0, 4))).unchecked, ids.slice(0, 4))
})

test('the table of prepared challenges is bounded', () => {
  const table = new PreparedChallenges()
  const expected = new Uint8Array(32)
  const keep = (index: number): void => {
    const challenge = { id: `${index}` as BlockId, offset: 0, length: 1, nonce: expected }
    table.keep(SOMEBODY, { challenge, expected })
  }
  for (let index = 0; index <= PREPARED_PER_HOLDER_MAX; index++) keep(index)
  assert.equal(table.size, PREPARED_PER_HOLDER_MAX)
  assert.equal(table.take(SOMEBODY, '0' as BlockId), undefined)
  keep(1)
  assert.equal(table.size, PREPARED_PER_HOLDER_MAX)
  assert.notEqual(table.take(SOMEBODY, '1' as BlockId), undefined)
  assert.equal(table.take(SOMEBODY, '1' as BlockId), undefined)
  assert.equal(table.size, PREPARED_PER_HOLDER_MAX - 1)
})

test('and bounded over all holders', () => {
  const table = new PreparedChallenges()
  const expected = new Uint8Array(32)
  const holderOf = (index: number): PeerId => `holder ${index >> 10}` as PeerId
  for (let index = 0; index <= PREPARED_MAX; index++) {
    const challenge = { id: `${index}` as BlockId, offset: 0, length: 1, nonce: expected }
    table.keep(holderOf(index), { challenge, expected })
  }
  assert.equal(table.size, PREPARED_MAX)
  assert.equal(table.ids(holderOf(0)).length, 1023)
  assert.equal(table.ids(holderOf(PREPARED_MAX)).length, 1)
})

test('a holder that lacks a share of its blocks is found as often as the formula says', async ({
  holders,
  blocks,
  ids
}) => {
  const lacks = 1 / 20
  const bob = await addHolder(holders, await storeOf(blocks.slice(blocks.length * lacks)), {
    clock: { now: () => Date.now() * 1e6 }
  })
  const alice = await addAuditor(holders, blocks)
  const random = createRandom(4)
  for (const challenges of [10, 40]) {
    let found = 0
    for (let audit = 0; audit < 200; audit++) {
      const sample = Array.from({ length: challenges }, () => ids[Math.floor(random() * 400)]!)
      if ((await alice.audit(bob.id, sample)).missing.length > 0) found++
    }
    const expected = 1 - (1 - lacks) ** challenges
    assert.ok(Math.abs(found / 200 - expected) < 0.1, `${found / 200}, not ${expected}`)
  }
})

test('requests and answers are refused unless they are exactly that', async ({ ids, blocks }) => {
  const nonce = new Uint8Array(NONCE_BYTES)
  const challenge = { id: ids[0]!, offset: 0, length: 1, nonce }
  const request = (...challenges: unknown[]): unknown => ({ verb: 'audit', challenges })
  const encoded = encodeAuditRequest([challenge]) as { challenges: unknown[][] }
  const [id] = encoded.challenges[0]!
  assert.deepEqual(decodeAuditRequest(encoded), [challenge])
  const wrong: Record<string, unknown> = {
    nothing: undefined,
    'a list': [],
    'another verb': { verb: 'inventory', challenges: [[id, 0, 1, nonce]] },
    'a field more': { ...encoded, more: 1 },
    'no challenges': request(),
    'too many': request(
      ...Array.from({ length: AUDIT_CHALLENGES_MAX + 1 }, () => [id, 0, 1, nonce])
    ),
    'a truncated challenge': request([id, 0, 1]),
    'a challenge with more': request([id, 0, 1, nonce, 1]),
    'a short id': request([nonce, 0, 1, nonce]),
    'an id of no kind': request([new Uint8Array(36), 0, 1, nonce]),
    'a negative offset': request([id, -1, 1, nonce]),
    'a huge offset': request([id, 2 ** 20 + 1, 1, nonce]),
    'a huge length': request([id, 0, 2 ** 20 + 1, nonce]),
    'half a byte': request([id, 0, 0.5, nonce]),
    'a big integer': request([id, 0n, 1, nonce]),
    'a short nonce': request([id, 0, 1, nonce.subarray(1)]),
    'a long nonce': request([id, 0, 1, new Uint8Array(NONCE_BYTES + 1)])
  }
  for (const [why, body] of Object.entries(wrong)) {
    assert.throws(() => decodeAuditRequest(body), { code: 'EPROTO' }, why)
  }
  for (const body of [{ proofs: [new Uint8Array(31)] }, { proofs: [null, null] }, { proofs: [] }]) {
    assert.throws(() => decodeAuditAnswer(body, 1), { code: 'EPROTO' })
  }
  assert.throws(() => decodeAuditAnswer({ proofs: [null], more: 1 }, 1), { code: 'EPROTO' })
  const { bytes } = blocks[0]!
  assert.equal(await proveRange(SOMEBODY, bytes, { offset: 1, length: 1, nonce }), undefined)
  assert.equal(await codeOf(Promise.resolve().then(() => decodeAuditRequest(7))), 'EPROTO')
})

test.run()
