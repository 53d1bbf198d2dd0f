/** The half that asks, against sources that lie about subtrees; lists are in `exchange-sources`. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { isWarrenError } from '../../../src/errors.ts'
import type { ErrorCode } from '../../../src/errors.ts'
import { createBlock } from '../../../src/blocks/block.ts'
import type { Block } from '../../../src/blocks/block.ts'
import type { BlockId } from '../../../src/blocks/block-id.ts'
import { fetchBlocks } from '../../../src/blocks/exchange/fetch-blocks.ts'
import type { SubtreeWant } from '../../../src/blocks/exchange/messages.ts'
import { MISSING, encodeAnswer } from '../../../src/blocks/exchange/messages.ts'
import type { CallHandler, PeerId } from '../../../src/peer/index.ts'
import { Neighbourhood, encodeNode, makeBlocks, makeNode } from './exchange-fixtures.ts'

interface Context {
  hood: Neighbourhood
  data: Block[]
  left: Block
  right: Block
  root: Block
}

const test = suite<Context>('block exchange: fetching')
test.before(async context => {
  context.data = await makeBlocks(4, 1000)
  const ids = context.data.map(({ id }) => id)
  context.left = await makeNode(ids.slice(0, 2), 1)
  context.right = await makeNode(ids.slice(2), 2)
  context.root = await makeNode([context.left.id, context.right.id], 3)
})
test.before.each(context => {
  context.hood = new Neighbourhood()
})
test.after.each(context => context.hood.stop())

/** Fetches the subtree from a source that answers like this; what came before the error, and its code. */
async function fetchFrom(
  hood: Neighbourhood,
  root: BlockId,
  answer: CallHandler,
  want: Partial<SubtreeWant> = {}
): Promise<{ ids: BlockId[]; code: ErrorCode | undefined }> {
  const liar = await hood.addLiar(answer)
  const bob = await hood.add()
  await hood.introduce(liar, bob.peer)
  const ids: BlockId[] = []
  try {
    const batches = fetchBlocks(bob.peer, liar.id, { kind: 'subtree', root, ...want })
    for await (const batch of batches) ids.push(...batch.map(({ id }) => id))
  } catch (error) {
    assert.ok(isWarrenError(error), String(error))
    return { ids, code: error.code }
  }
  return { ids, code: undefined }
}

function say(...blocks: readonly (Uint8Array | undefined)[]): ReturnType<typeof encodeAnswer> {
  const payload = blocks.filter(bytes => bytes !== undefined)
  return encodeAnswer(
    blocks.map(bytes => bytes?.length ?? MISSING),
    { payload }
  )
}

test('an honest answer with a missing node goes on beside it', async ({
  hood,
  root,
  left,
  right,
  data
}) => {
  const { ids, code } = await fetchFrom(hood, root.id, async function* () {
    yield say(root.bytes, undefined, right.bytes)
    yield say(data[2]!.bytes)
    yield say(data[3]!.bytes)
  })
  assert.equal(code, undefined)
  assert.deepEqual(ids, [root.id, left.id, right.id, data[2]!.id, data[3]!.id])
})

test('blocks that follow from no link are refused, good ones before them kept', async ({
  hood,
  root,
  left,
  data
}) => {
  const { ids, code } = await fetchFrom(hood, root.id, async function* () {
    yield say(root.bytes, left.bytes)
    yield say(data[1]!.bytes)
  })
  assert.equal(code, 'EBADMSG')
  assert.deepEqual(ids, [root.id, left.id])
})

test('a forged node brings nothing of what it links to', async ({ hood, root, data }) => {
  const [one, two] = data.map(({ id }) => id) as [BlockId, BlockId]
  const { ids, code } = await fetchFrom(hood, root.id, async function* () {
    yield say(encodeNode([one, two], 5))
    yield say(data[0]!.bytes)
    yield say(data[1]!.bytes)
  })
  assert.equal(code, 'EBADMSG')
  assert.deepEqual(ids, [])
})

test('a tree that claims to contain itself ends', async ({ hood, root }) => {
  let sent = 0
  const cyclic = encodeNode([root.id, root.id], 5)
  const { ids, code } = await fetchFrom(hood, root.id, async function* () {
    for (; sent < 100_000; sent++) yield say(cyclic)
  })
  assert.ok(code === 'EBADMSG' || code === 'EPROTO')
  assert.deepEqual(ids, [])
  assert.ok(sent < 1000, `${sent} messages were taken`)
})

test('a forged bomb of links is refused as forged', async ({ hood, root }) => {
  const children = await Promise.all(Array.from({ length: 30 }, (_, i) => makeNode([], i)))
  const links = children.map(({ id }) => id)
  const wide = encodeNode(
    Array.from({ length: 20_000 }, (_, i) => links[i % links.length]!),
    5
  )
  const { ids, code } = await fetchFrom(hood, root.id, async function* () {
    for (let i = 0; i < 30; i++) yield say(wide)
  })
  assert.equal(code, 'EBADMSG')
  assert.deepEqual(ids, [])
})

test('a real bomb of links is refused as too large', async ({ hood }) => {
  // Each node links to the next one first and then to thousands of others: all of them in sight.
  const fill = (await makeBlocks(20_000, 8)).map(({ id }) => id)
  let below = await makeNode([], 0)
  const chain = [below]
  for (let i = 1; i < 20; i++) {
    below = await createBlock('dag-cbor', encodeNode([below.id, ...fill], i))
    chain.push(below)
  }
  const { code } = await fetchFrom(hood, below.id, async function* () {
    for (const node of chain.toReversed()) yield say(node.bytes)
  })
  assert.equal(code, 'EFBIG')
})

test('an answer that ends too early is refused, and one that goes on too long', async ({
  hood,
  root,
  left,
  right,
  data
}) => {
  const short = await fetchFrom(hood, root.id, async function* () {
    yield say(root.bytes, left.bytes)
  })
  assert.equal(short.code, 'EPROTO')
  assert.equal(short.ids.length, 2)
  const all = [root, left, data[0]!, data[1]!, right, data[2]!, data[3]!].map(({ bytes }) => bytes)
  const long = await fetchFrom(hood, root.id, async function* () {
    yield say(...all)
    yield say(all[0])
  })
  assert.equal(long.code, 'EPROTO')
  assert.equal(long.ids.length, 7)
})

test('only an answer with a limit may be cut, and it ends there', async ({ hood, root, left }) => {
  const cut: CallHandler = async function* () {
    yield { ...encodeAnswer([root.bytes.length], { payload: [root.bytes], more: true }) }
  }
  assert.equal((await fetchFrom(hood, root.id, cut)).code, 'EPROTO')
  assert.equal((await fetchFrom(hood, root.id, cut, { bytesMax: 10 })).code, undefined)
  const goesOn = await fetchFrom(
    hood,
    root.id,
    async function* () {
      yield { ...encodeAnswer([root.bytes.length], { payload: [root.bytes], more: true }) }
      yield say(left.bytes)
    },
    { bytesMax: 10 }
  )
  assert.equal(goesOn.code, 'EPROTO')
})

test('what the other side throws, and silence, come out as they are', async ({ hood, data }) => {
  const bob = await hood.add()
  const silent = await hood.addLiar(async function* (_, { signal }) {
    await new Promise(resolve => signal.addEventListener('abort', resolve))
    yield say(data[0]!.bytes)
  })
  await hood.introduce(bob.peer, silent)
  const want = { kind: 'blocks', ids: [data[0]!.id] } as const
  const fetch = (source: PeerId, signal?: AbortSignal): Promise<unknown> => {
    const options = { silenceMs: 100, ...(signal === undefined ? {} : { signal }) }
    return fetchBlocks(bob.peer, source, want, options).next()
  }
  await assert.rejects(fetch(silent.id), error => isWarrenError(error, 'ETIMEDOUT'))
  await assert.rejects(fetch(silent.id, AbortSignal.timeout(20)), { name: 'TimeoutError' })
})

test.run()
