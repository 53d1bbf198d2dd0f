import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { cp, rm } from 'node:fs/promises'
import * as fc from 'fast-check'
import type { DiskBlockStore } from '../../../src/blocks/disk/index.ts'
import { openDiskBlockStore } from '../../../src/blocks/disk/index.ts'
import type { Block } from '../../../src/blocks/block.ts'
import type { BlockId } from '../../../src/blocks/block-id.ts'
import { randomBlocks } from '../../contracts/block-store-contract.ts'
import { createTemporaryDirectory } from '../../fixtures/temporary-directory.ts'

const test = suite('disk block store against a map')

const RUNS = Number(process.env.WARREN_MODEL_RUNS ?? 60)
const BLOCKS = 24
const options = { segmentBytesMax: 4000, compactAutomatically: false }

const numbers = fc.array(fc.nat(BLOCKS - 1), { maxLength: 8 })
const action = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('put' as const), numbers }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('remove' as const), numbers }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('sync', 'reopen', 'kill', 'compact', 'compact meanwhile'),
      numbers: fc.constant<number[]>([])
    })
  }
)

const blocks = await randomBlocks(BLOCKS, 600)

test('holds what the map holds after every step', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 40 }), async actions => {
      await using directory = await createTemporaryDirectory('model')
      const model = new Map<BlockId, Block>()
      let path = directory.join('0')
      let store = await openDiskBlockStore(path, options)
      const meanwhile: Promise<void>[] = []
      try {
        for (const [step, { kind, numbers }] of actions.entries()) {
          const some = numbers.map(number => blocks[number]!)
          if (kind === 'put') {
            await store.putMany(some)
            for (const block of some) model.set(block.id, block)
          } else if (kind === 'remove') {
            await store.deleteMany(some.map(block => block.id))
            for (const block of some) model.delete(block.id)
          } else if (kind === 'sync') await store.sync()
          else if (kind === 'compact') await store.compact()
          else if (kind === 'compact meanwhile') meanwhile.push(store.compact())
          else if (kind === 'reopen') {
            await store.close()
            store = await openDiskBlockStore(path, options)
          } else {
            // What a killed process leaves is what another process sees in its files.
            await Promise.all(meanwhile.splice(0))
            const copy = directory.join(`${step + 1}`)
            await copyFiles(path + '/segments', copy + '/segments')
            await store.close()
            path = copy
            store = await openDiskBlockStore(path, options)
          }
          await compare(store, model)
        }
        await Promise.all(meanwhile)
        await store.compact()
        await compare(store, model)
      } finally {
        await store.close()
      }
    }),
    { numRuns: RUNS, includeErrorInReport: true }
  )
})

/** Again when a file changes its name meanwhile, as an index does when it is done. */
async function copyFiles(from: string, to: string, tries = 5): Promise<void> {
  try {
    await cp(from, to, { recursive: true })
  } catch (error) {
    if (tries === 0) throw error
    await rm(to, { recursive: true, force: true })
    await copyFiles(from, to, tries - 1)
  }
}

async function compare(store: DiskBlockStore, model: ReadonlyMap<BlockId, Block>): Promise<void> {
  const ids: BlockId[] = []
  for await (const id of store.ids()) ids.push(id)
  assert.deepEqual(ids.sort(), [...model.keys()].sort())
  for (const { id, bytes } of blocks) {
    assert.equal(await store.has(id), model.has(id))
    assert.deepEqual(await store.get(id), model.has(id) ? bytes : undefined)
  }
  let bytes = 0
  for (const block of model.values()) bytes += block.bytes.length
  assert.deepEqual(store.usage(), { blocks: model.size, bytes })
}

test.run()
