/** The suite every block store and every wrapper of one passes. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { BlockStore } from '../../src/blocks/block-store.ts'
import { BLOCK_BYTES_MAX, createBlock } from '../../src/blocks/block.ts'
import type { Block } from '../../src/blocks/block.ts'

export interface BlockStoreFixture {
  /** A new, empty store. */
  readonly create: () => Promise<BlockStore>
  /** Opens the store last created again, after it was closed. Absent for stores that forget. */
  readonly reopen?: () => Promise<BlockStore>
  readonly destroy?: () => Promise<void>
}

export function testBlockStore(name: string, fixture: BlockStoreFixture): void {
  const test = suite<{ store: BlockStore }>(`block store: ${name}`)
  test.before.each(async context => {
    context.store = await fixture.create()
  })
  test.after.each(async context => {
    await context.store.close()
    await fixture.destroy?.()
  })

  test('gives back what was put', async ({ store }) => {
    const blocks = await randomBlocks(20)
    await store.putMany(blocks)
    for (const block of blocks) {
      assert.deepEqual(await store.get(block.id), block.bytes)
      assert.equal(await store.has(block.id), true)
    }
  })

  test('has no block that was never put', async ({ store }) => {
    const [block] = await randomBlocks(1)
    assert.equal(await store.get(block!.id), undefined)
    assert.equal(await store.has(block!.id), false)
  })

  test('keeps the empty block and the largest block', async ({ store }) => {
    const blocks = [
      await createBlock('raw', new Uint8Array(0)),
      await createBlock('dag-cbor', new Uint8Array(BLOCK_BYTES_MAX).fill(7))
    ]
    await store.putMany(blocks)
    for (const block of blocks) assert.deepEqual(await store.get(block.id), block.bytes)
  })

  test('keeps one copy of a block put twice', async ({ store }) => {
    const [block] = await randomBlocks(1)
    await store.putMany([block!, block!])
    await store.putMany([block!])
    assert.deepEqual(store.usage(), { blocks: 1, bytes: block!.bytes.length })
  })

  test('tells apart two codecs over the same bytes', async ({ store }) => {
    const bytes = new TextEncoder().encode('same')
    const raw = await createBlock('raw', bytes)
    const node = await createBlock('dag-cbor', bytes)
    await store.putMany([raw])
    assert.equal(await store.has(node.id), false)
    await store.putMany([node])
    assert.deepEqual(new Set(await collectIds(store)), new Set([raw.id, node.id]))
  })

  test('removes what is deleted and nothing else', async ({ store }) => {
    const [gone, kept] = await randomBlocks(2)
    await store.putMany([gone!, kept!])
    await store.deleteMany([gone!.id, gone!.id])
    assert.equal(await store.get(gone!.id), undefined)
    assert.deepEqual(await store.get(kept!.id), kept!.bytes)
    assert.deepEqual(await collectIds(store), [kept!.id])
    assert.deepEqual(store.usage(), { blocks: 1, bytes: kept!.bytes.length })
    await store.putMany([gone!])
    assert.deepEqual(await store.get(gone!.id), gone!.bytes)
  })

  test('lists every id', async ({ store }) => {
    const blocks = await randomBlocks(300)
    await store.putMany(blocks)
    assert.deepEqual((await collectIds(store)).sort(), blocks.map(block => block.id).sort())
  })

  test('serves many reads and writes at once', async ({ store }) => {
    const blocks = await randomBlocks(200)
    await Promise.all(blocks.map(block => store.putMany([block])))
    const read = await Promise.all(blocks.map(block => store.get(block.id)))
    assert.deepEqual(
      read,
      blocks.map(block => block.bytes)
    )
  })

  test('syncs, closes twice and refuses work afterwards', async ({ store }) => {
    const [block] = await randomBlocks(1)
    await store.putMany([block!])
    await store.sync()
    await store.close()
    await store.close()
    await assert.rejects(store.get(block!.id), { code: 'EBADF' })
    await assert.rejects(store.putMany([block!]), { code: 'EBADF' })
  })

  if (fixture.reopen !== undefined) {
    const reopen = fixture.reopen
    test('holds the same blocks after it is opened again', async ({ store }) => {
      const [gone, ...kept] = await randomBlocks(50)
      await store.putMany([gone!, ...kept])
      await store.deleteMany([gone!.id])
      const usage = store.usage()
      await store.close()
      const again = await reopen()
      try {
        assert.deepEqual(again.usage(), usage)
        assert.equal(await again.has(gone!.id), false)
        for (const block of kept) assert.deepEqual(await again.get(block.id), block.bytes)
      } finally {
        await again.close()
      }
    })
  }

  test.run()
}

export async function randomBlocks(count: number, bytesMax = 5000): Promise<Block[]> {
  const blocks: Block[] = []
  for (let index = 0; index < count; index++) {
    const bytes = crypto.getRandomValues(new Uint8Array(32 + Math.floor(Math.random() * bytesMax)))
    blocks.push(await createBlock(index % 2 === 0 ? 'raw' : 'dag-cbor', bytes))
  }
  return blocks
}

async function collectIds(store: BlockStore): Promise<string[]> {
  const ids: string[] = []
  for await (const id of store.ids()) ids.push(id)
  return ids
}
