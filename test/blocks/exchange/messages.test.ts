import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { isWarrenError } from '../../../src/errors.ts'
import { BLOCK_BYTES_MAX } from '../../../src/blocks/block.ts'
import { blockIdToBytes } from '../../../src/blocks/block-id.ts'
import type { BlockId } from '../../../src/blocks/block-id.ts'
import { MESSAGE_BLOCKS_MAX, WANT_IDS_MAX } from '../../../src/blocks/exchange/limits.ts'
import {
  MISSING,
  decodeAnswer,
  decodeWant,
  encodeAnswer,
  encodeWant
} from '../../../src/blocks/exchange/messages.ts'
import type { IncomingMessage, OutgoingMessage } from '../../../src/peer/index.ts'
import { makeBlocks, makeNode } from './exchange-fixtures.ts'

const test = suite<{ ids: BlockId[]; root: BlockId }>('block exchange: messages')
test.before(async context => {
  context.ids = (await makeBlocks(WANT_IDS_MAX + 1, 8)).map(({ id }) => id)
  context.root = (await makeNode([], 1)).id
})

const refused = (error: unknown): boolean => isWarrenError(error, 'EPROTO')

/** What the other side gets of a message. */
function arrive({ body, payload = [] }: OutgoingMessage): IncomingMessage {
  return { body, payload: new Uint8Array(Buffer.concat(payload)) }
}

test('wants come back as they were', ({ ids, root }) => {
  const want = { kind: 'blocks', ids: ids.slice(0, 5) } as const
  assert.deepEqual(decodeWant(arrive(encodeWant(want))), want)
  const plain = decodeWant(arrive(encodeWant({ kind: 'subtree', root })))
  assert.deepEqual(plain, { kind: 'subtree', root, nodesOnly: false, after: 0 })
  const full = { kind: 'subtree', root, nodesOnly: true, after: 7, bytesMax: 99 } as const
  assert.deepEqual(decodeWant(arrive(encodeWant(full))), full)
  const within = { from: new Uint8Array(0), to: new Uint8Array(1025) }
  const ranged = { ...full, within }
  assert.deepEqual(decodeWant(arrive(encodeWant(ranged))), ranged)
  for (const one of [want, full, ranged]) {
    const background = { ...one, background: true }
    assert.deepEqual(decodeWant(arrive(encodeWant(background))), background)
  }
})

test('the largest want is accepted and one more id is not', ({ ids }) => {
  const most = ids.slice(0, WANT_IDS_MAX)
  const want = arrive(encodeWant({ kind: 'blocks', ids: most }))
  assert.deepEqual(decodeWant(want), { kind: 'blocks', ids: most })
  const payload = new Uint8Array(want.payload.length + 36)
  payload.set(want.payload)
  payload.set(blockIdToBytes(ids.at(-1)!), want.payload.length)
  assert.throws(() => decodeWant({ body: want.body, payload }), refused)
  assert.throws(() => encodeWant({ kind: 'blocks', ids }), TypeError)
})

test('hostile wants are refused', ({ ids, root }) => {
  const { payload } = arrive(encodeWant({ kind: 'blocks', ids: [ids[0]!, ids[1]!] }))
  const none = new Uint8Array(0)
  const rootBytes = blockIdToBytes(root)
  const twice = arrive(encodeWant({ kind: 'blocks', ids: [ids[0]!, ids[0]!] }))
  const messages: IncomingMessage[] = [
    twice,
    { body: { want: 'blocks' }, payload: none },
    { body: { want: 'blocks' }, payload: payload.subarray(1) },
    { body: { want: 'blocks' }, payload: payload.map(byte => byte ^ 1) },
    { body: { want: 'blocks', root: rootBytes }, payload },
    { body: { want: 'blocks', more: true }, payload },
    { body: { want: 'blocks', background: 1 }, payload },
    { body: { want: 'subtree', root: rootBytes, background: false }, payload: none },
    { body: { want: 'everything' }, payload: none },
    { body: { want: 'blocks', within: [none, none] }, payload },
    ...[1, none, [], [none], [none, none, none], [none, 'a'], [none, new Uint8Array(1026)]].map(
      within => ({ body: { want: 'subtree', root: rootBytes, within }, payload: none })
    ),
    { body: {}, payload: none },
    { body: null, payload: none },
    { body: 'blocks', payload },
    { body: [['want', 'blocks']], payload },
    { body: { want: 'subtree' }, payload: none },
    { body: { want: 'subtree', root: 'bafy' }, payload: none },
    { body: { want: 'subtree', root: rootBytes.subarray(1) }, payload: none },
    { body: { want: 'subtree', root: rootBytes }, payload },
    { body: { want: 'subtree', root: rootBytes, after: -1 }, payload: none },
    { body: { want: 'subtree', root: rootBytes, after: 0.5 }, payload: none },
    { body: { want: 'subtree', root: rootBytes, after: 2n ** 60n }, payload: none },
    { body: { want: 'subtree', root: rootBytes, bytesMax: null }, payload: none },
    { body: { want: 'subtree', root: rootBytes, nodesOnly: 1 }, payload: none }
  ]
  for (const [index, message] of messages.entries()) {
    assert.throws(() => decodeWant(message), refused, `message ${index}`)
  }
})

test('answers come back as they were', () => {
  const payload = [Uint8Array.of(1, 2, 3), new Uint8Array(0), new Uint8Array(BLOCK_BYTES_MAX)]
  const lengths = [3, MISSING, 0, BLOCK_BYTES_MAX]
  const message = arrive(encodeAnswer(lengths, { payload }))
  assert.deepEqual(decodeAnswer(message), { lengths, more: false })
  const cut = arrive(encodeAnswer([MISSING], { payload: [], more: true }))
  assert.deepEqual(decodeAnswer(cut), { lengths: [MISSING], more: true })
})

test('hostile answers are refused', () => {
  const three = Uint8Array.of(1, 2, 3)
  const none = new Uint8Array(0)
  const length = (bytes: number): { lengths: Uint8Array } => {
    return encodeAnswer([bytes], { payload: [] }).body as { lengths: Uint8Array }
  }
  const messages: IncomingMessage[] = [
    { body: { lengths: none }, payload: none },
    { body: { lengths: new Uint8Array(3) }, payload: none },
    { body: { lengths: [3] }, payload: three },
    { body: { lengths: '0003' }, payload: three },
    { body: { ...length(3), extra: 1 }, payload: three },
    { body: { ...length(3), more: 1 }, payload: three },
    { body: length(2), payload: three },
    { body: length(4), payload: three },
    { body: length(MISSING), payload: three },
    { body: length(BLOCK_BYTES_MAX + 1), payload: new Uint8Array(BLOCK_BYTES_MAX + 1) },
    { body: length(MISSING - 1), payload: none },
    { body: { lengths: new Uint8Array((MESSAGE_BLOCKS_MAX + 1) * 4) }, payload: none },
    { body: undefined, payload: none },
    { body: 7, payload: none }
  ]
  for (const [index, message] of messages.entries()) {
    assert.throws(() => decodeAnswer(message), refused, `message ${index}`)
  }
  const most = { body: { lengths: new Uint8Array(MESSAGE_BLOCKS_MAX * 4) }, payload: none }
  assert.equal(decodeAnswer(most).lengths.length, MESSAGE_BLOCKS_MAX)
})

test.run()
