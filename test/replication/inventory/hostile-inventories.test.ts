/** Inventories compared with peers that lie, exaggerate, or never come to an end. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { blockIdToBytes } from '../../../src/blocks/index.ts'
import type { BlockId } from '../../../src/blocks/index.ts'
import { BODY_BYTES_MAX } from '../../../src/peer/index.ts'
import { encodeBody } from '../../../src/peer/body.ts'
import { Inventory, REPLICAS_PROTOCOL } from '../../../src/replication/index.ts'
import { createInventoryComparer, createInventoryHandler } from '../../../src/replication/index.ts'
import {
  ANSWER_IDS_MAX,
  INVENTORY_IDS_MAX,
  LISTED_TAGS_MAX,
  RANGE_PARTS_MAX,
  REQUEST_PARTS_MAX,
  REQUEST_RANGES_MAX,
  SCOPE_LENGTH_MAX,
  STEPS_MAX
} from '../../../src/replication/inventory/inventory-limits.ts'
import {
  decodeInventoryAnswer,
  decodeInventoryRequest,
  encodeInventoryAnswer
} from '../../../src/replication/inventory/inventory-messages.ts'
import type { RangeRequest } from '../../../src/replication/inventory/inventory-messages.ts'
import { Holders, backgroundClock, codeOf, makeIds } from '../replicas-fixtures.ts'

const NONE = new Uint8Array(0)
const ids = makeIds(100).sort((one, other) => compareBytes(digest(one), digest(other)))
const WHOLE = { from: undefined, to: undefined }
const LIST: RangeRequest = { kind: 'list', range: WHOLE, tags: new Uint32Array(4) }
const SPLIT: RangeRequest = { kind: 'split', range: WHOLE, parts: 3 }

function digest(id: BlockId): Uint8Array {
  return blockIdToBytes(id).subarray(4)
}

function compareBytes(one: Uint8Array, other: Uint8Array): number {
  const index = one.findIndex((byte, i) => byte !== other[i])
  return index === -1 ? 0 : one[index]! - other[index]!
}

function join(...chosen: readonly BlockId[]): Uint8Array {
  return new Uint8Array(Buffer.concat(chosen.map(blockIdToBytes)))
}

const test = suite<{ holders: Holders }>('inventories: hostile peers')
test.before.each(context => {
  context.holders = new Holders()
})
test.after.each(({ holders }) => holders.stop())

const right = { verb: 'inventory', scope: 'x', salt: new Uint8Array(16), ranges: [[NONE, NONE, 3]] }

test('a request is refused unless it is exactly one', () => {
  assert.equal(decodeInventoryRequest(right).ranges.length, 1)
  const low = Uint8Array.of(1)
  const high = Uint8Array.of(2)
  const wrong: Record<string, unknown> = {
    'no map': [],
    nothing: undefined,
    'another verb': { ...right, verb: 'audit' },
    'an unknown field': { ...right, more: 1 },
    'no scope': { ...right, scope: undefined },
    'a scope too long': { ...right, scope: 'x'.repeat(SCOPE_LENGTH_MAX + 1) },
    'a short salt': { ...right, salt: new Uint8Array(15) },
    'a long salt': { ...right, salt: new Uint8Array(17) },
    'no ranges': { ...right, ranges: [] },
    'ranges that are no list': { ...right, ranges: 7 },
    'too many ranges': {
      ...right,
      ranges: Array.from({ length: REQUEST_RANGES_MAX + 1 }, () => [NONE, NONE, 1])
    },
    'too many parts in all': {
      ...right,
      ranges: Array.from({ length: REQUEST_PARTS_MAX / 256 + 1 }, () => [NONE, NONE, 256])
    },
    'an empty range': { ...right, ranges: [[low, low, 3]] },
    'a range backwards': { ...right, ranges: [[high, low, 3]] },
    'a bound that is too long': { ...right, ranges: [[new Uint8Array(34).fill(1), NONE, 3]] },
    'a bound that ends in zero': { ...right, ranges: [[Uint8Array.of(1, 0), NONE, 3]] },
    'a bound that is text': { ...right, ranges: [['a', NONE, 3]] },
    'no parts': { ...right, ranges: [[NONE, NONE, 0]] },
    'too many parts': { ...right, ranges: [[NONE, NONE, RANGE_PARTS_MAX + 1]] },
    'half a part': { ...right, ranges: [[NONE, NONE, 1.5]] },
    'too many tags': { ...right, ranges: [[NONE, NONE, new Uint8Array(8 * LISTED_TAGS_MAX + 8)]] },
    'half a tag': { ...right, ranges: [[NONE, NONE, new Uint8Array(12)]] },
    'a short fingerprint': { ...right, ranges: [[NONE, NONE, 3, new Uint8Array(7)]] },
    'a fingerprint of a list': { ...right, ranges: [[NONE, NONE, NONE, new Uint8Array(8)]] },
    'a range with more': { ...right, ranges: [[NONE, NONE, 3, new Uint8Array(8), 1]] },
    'a truncated range': { ...right, ranges: [[NONE]] }
  }
  for (const [why, body] of Object.entries(wrong)) {
    assert.throws(() => decodeInventoryRequest(body), { code: 'EPROTO' }, why)
  }
})

test('an answer is refused unless it can be one', () => {
  const print = new Uint8Array(24)
  const parts = [[Uint8Array.of(1), Uint8Array.of(2)], [1, 1, 1], print]
  const decode = (result: unknown, asked: RangeRequest): unknown =>
    decodeInventoryAnswer({ ranges: [result] }, [asked])
  decode(parts, SPLIT)
  decode(parts, LIST)
  decode({ ids: join(ids[0]!, ids[1]!), lacks: [0, 1] }, LIST)
  const inner: RangeRequest = {
    ...LIST,
    range: { from: new Uint32Array([1 << 30, 0, 0, 0, 0, 0, 0, 0, 0]), to: undefined }
  }
  const wrong: [why: string, result: unknown, asked: RangeRequest][] = [
    ['equal to what nobody stated', true, SPLIT],
    ['equal to a list', true, LIST],
    ['nothing at all', null, SPLIT],
    ['false', false, SPLIT],
    ['a list that was not asked for', { ids: NONE, lacks: [] }, SPLIT],
    ['more parts than asked for', parts, { ...SPLIT, parts: 2 }],
    ['no parts', [[], [], NONE], SPLIT],
    ['a bound too few', [[Uint8Array.of(1)], [1, 1, 1], print], SPLIT],
    ['fingerprints too short', [parts[0], [1, 1, 1], new Uint8Array(16)], SPLIT],
    ['unsorted bounds', [[Uint8Array.of(2), Uint8Array.of(1)], [1, 1, 1], print], SPLIT],
    ['a bound twice', [[Uint8Array.of(1), Uint8Array.of(1)], [1, 1, 1], print], SPLIT],
    ['a missing bound', [[NONE, Uint8Array.of(1)], [1, 1, 1], print], SPLIT],
    ['an empty part', [parts[0], [1, 0, 1], print], SPLIT],
    ['a negative count', [parts[0], [1, -1, 1], print], SPLIT],
    ['too much in one', [parts[0], [1, INVENTORY_IDS_MAX + 1, 1], print], SPLIT],
    ['too much in all', [parts[0], [1, INVENTORY_IDS_MAX - 1, 1], print], SPLIT],
    ['parts and more', [...parts, 1], SPLIT],
    ['bounds outside', [[Uint8Array.of(1), Uint8Array.of(2)], [1, 1, 1], print], inner],
    ['half an id', { ids: join(ids[0]!).subarray(1), lacks: [] }, LIST],
    ['unsorted ids', { ids: join(ids[1]!, ids[0]!), lacks: [] }, LIST],
    ['an id twice', { ids: join(ids[0]!, ids[0]!), lacks: [] }, LIST],
    ['an id before its range', { ids: join(ids[0]!), lacks: [] }, inner],
    ['a tag out of range', { ids: NONE, lacks: [2] }, LIST],
    ['a tag twice', { ids: NONE, lacks: [1, 1] }, LIST],
    ['too many ids', { ids: new Uint8Array(36 * ANSWER_IDS_MAX + 36), lacks: [] }, LIST],
    ['a field more', { ids: NONE, lacks: [], more: 1 }, LIST]
  ]
  for (const [why, result, asked] of wrong) {
    assert.throws(() => decode(result, asked), { code: 'EPROTO' }, why)
  }
  assert.throws(() => decodeInventoryAnswer({ ranges: [] }, [SPLIT]), { code: 'EPROTO' })
  assert.throws(() => decodeInventoryAnswer({ ranges: [null, null] }, [SPLIT]), { code: 'EPROTO' })
})

test('the largest answer fits into a message', () => {
  const part = { range: { from: new Uint32Array(9).fill(0xffff_ff01), to: undefined } }
  const parts = Array.from({ length: RANGE_PARTS_MAX }, () => {
    return { ...part, count: INVENTORY_IDS_MAX, fingerprint: new Uint32Array(2) }
  })
  const split = { kind: 'parts', parts } as const
  const list = { kind: 'list', ids: new Uint8Array(36 * ANSWER_IDS_MAX), lacks: [] } as const
  // As many again when lists turn out to be too long.
  const splits = Array.from({ length: (2 * REQUEST_PARTS_MAX) / RANGE_PARTS_MAX }, () => split)
  assert.ok(encodeBody(encodeInventoryAnswer([list, ...splits])).length < BODY_BYTES_MAX)
})

/** How a comparison with a holder ends that answers like this, and after how many questions. */
async function compareWith(
  holders: Holders,
  answer: (ranges: readonly RangeRequest[], question: number) => unknown
): Promise<{ code: string; questions: number; told: number }> {
  let questions = 0
  let told = 0
  const alice = await holders.add()
  const liar = await holders.add({
    inventory: async function* ({ body }) {
      yield { body: answer(decodeInventoryRequest(body).ranges, ++questions) }
    }
  })
  const inventory = new Inventory()
  await inventory.addAll(ids)
  const comparer = createInventoryComparer({ peer: alice, clock: backgroundClock })
  const all = async (): Promise<void> => {
    const question = { holder: liar.id, scope: 'x', inventory }
    for await (const { onlyThere } of comparer.compare(question)) told += onlyThere.length
  }
  return { code: await codeOf(all()), questions, told }
}

test('a holder that splits the same range for ever is given up', async ({ holders }) => {
  const { code, questions } = await compareWith(holders, ranges => ({
    ranges: ranges.map(() => [[], [1000], new Uint8Array(8)])
  }))
  assert.equal(code, 'EPROTO')
  assert.ok(questions <= STEPS_MAX + 1, `${questions} questions`)
})

test('a holder that claims ever more is given up', async ({ holders }) => {
  const { code, questions } = await compareWith(holders, (ranges, question) => ({
    ranges: ranges.map(({ range }) => {
      const { from } = range
      // Halves of halves: a bound one bit further each time.
      const edge = new Uint8Array(32)
      if (from !== undefined)
        from.subarray(0, 8).forEach((word, i) => {
          new DataView(edge.buffer).setUint32(4 * i, word)
        })
      edge[question] = 1
      return [[edge.subarray(0, question + 1)], [100_000, 100_000], new Uint8Array(16)]
    })
  }))
  assert.equal(code, 'EPROTO')
  assert.ok(questions < 2000, `${questions} questions`)
})

test('a holder that never has time for the second range is given up', async ({ holders }) => {
  let edges = 0
  const { code } = await compareWith(holders, (ranges, question) => {
    if (question > 1) {
      return {
        ranges: ranges.map((_, index) => {
          return index === 0 ? [[], [1000], new Uint8Array([1, 2, 3, 4, 5, 6, 7, ++edges])] : null
        })
      }
    }
    const bounds = Array.from({ length: 99 }, (_, i) => Uint8Array.of(i + 100))
    return { ranges: [[bounds, bounds.map(() => 1000).concat(1000), new Uint8Array(800)]] }
  })
  assert.equal(code, 'EPROTO')
})

test('answers that are late, missing, doubled or garbage', async ({ holders }) => {
  const none = await compareWith(holders, () => undefined)
  assert.deepEqual(none, { code: 'EPROTO', questions: 1, told: 0 })
  assert.equal((await compareWith(holders, () => 'what?')).code, 'EPROTO')
  const alice = await holders.add()
  const twice = await holders.add({
    inventory: async function* () {
      yield { body: { ranges: [[[], [0], new Uint8Array(8)]] } }
      yield { body: { ranges: [[[], [0], new Uint8Array(8)]] } }
    }
  })
  const mute = await holders.add({ inventory: async function* () {} })
  const comparer = createInventoryComparer({ peer: alice, clock: backgroundClock })
  for (const { id: holder } of [twice, mute]) {
    const question = { holder, scope: 'x', inventory: new Inventory() }
    assert.equal(await codeOf(comparer.compare(question).next()), 'EPROTO')
  }
})

test('a holder may not tell of blocks that the filter leaves out', async ({ holders }) => {
  const alice = await holders.add()
  const liar = await holders.add({
    inventory: async function* ({ body }) {
      const [range] = decodeInventoryRequest(body).ranges
      const split = [[], [1], new Uint8Array(8).fill(1)]
      yield {
        body: { ranges: [range!.kind === 'list' ? { ids: join(ids[0]!), lacks: [] } : split] }
      }
    }
  })
  const comparer = createInventoryComparer({ peer: alice, clock: backgroundClock })
  const question = { holder: liar.id, scope: 'x', inventory: new Inventory() }
  const filter = { name: 'nothing', includes: () => false }
  assert.equal(await codeOf(comparer.compare({ ...question, filter }).next()), 'EPROTO')
  const { value } = await comparer.compare(question).next()
  assert.deepEqual(value?.onlyThere, [ids[0]])
})

test('a holder answers garbage with EPROTO and unknown verbs with ENOTSUP', async ({ holders }) => {
  const alice = await holders.add()
  const scopeOf = async () => ({ inventory: new Inventory() })
  const inventory = createInventoryHandler({ clock: backgroundClock, scopeOf })
  const bob = await holders.add({ inventory })
  const say = async (body: unknown): Promise<void> => {
    for await (const answer of alice.call(bob.id, REPLICAS_PROTOCOL, { body })) void answer
  }
  await say(right)
  assert.equal(await codeOf(say({ ...right, salt: NONE })), 'EPROTO')
  assert.equal(await codeOf(say({ verb: 'toString' })), 'ENOTSUP')
  assert.equal(await codeOf(say({ verb: 'x'.repeat(100_000) })), 'ENOTSUP')
  assert.equal(await codeOf(say({ verb: 7 })), 'EPROTO')
  assert.equal(await codeOf(say(null)), 'EPROTO')
})

test('a list that is too long is split, and the rest is put off', async ({ holders }) => {
  const alice = await holders.add()
  const held = new Inventory()
  await held.addAll(makeIds(ANSWER_IDS_MAX + 1, 3))
  const scopeOf = async () => ({ inventory: held })
  const bob = await holders.add({
    inventory: createInventoryHandler({ clock: backgroundClock, scopeOf })
  })
  const ask = async (ranges: unknown[]): Promise<unknown[]> => {
    const request = { body: { ...right, ranges } }
    for await (const { body } of alice.call(bob.id, REPLICAS_PROTOCOL, request)) {
      return (body as { ranges: unknown[] }).ranges
    }
    return []
  }
  const [whole] = await ask([[NONE, NONE, NONE]])
  assert.equal((whole as unknown[][])[1]!.length, RANGE_PARTS_MAX)
  const most = [NONE, Uint8Array.of(0xf0), NONE]
  const [first, second, third] = await ask([most, most, [Uint8Array.of(0xff), NONE, NONE]])
  assert.ok((first as { ids: Uint8Array }).ids.length > 36 * 7000)
  assert.equal(second, null)
  assert.ok('ids' in (third as object))
  const all = await ask(Array.from({ length: 20 }, () => [NONE, NONE, NONE]))
  assert.equal(all.filter(result => result === null).length, 4)
})

test.run()
