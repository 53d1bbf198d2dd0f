/** The stores of the simulation pass what all stores pass, so what runs over them runs over others. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { createBlock } from '../../src/blocks/index.ts'
import { systemClock } from '../../src/peer/index.ts'
import { testBlockStore } from '../contracts/block-store-contract.ts'
import { testHeadStore } from '../contracts/head-store-contract.ts'
import { testHolderListStore } from '../contracts/holder-list-store-contract.ts'
import { MachineClock } from './machine-clock.ts'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedBlockStore } from './simulated-block-store.ts'
import { DiskProcess, SimulatedDisk } from './simulated-disk.ts'
import { SimulatedHeadStore, SimulatedHolderListStore } from './simulated-records.ts'

function createProcess(disk = new SimulatedDisk(new SeededRandom(1))): DiskProcess {
  return new DiskProcess(disk, new MachineClock(systemClock))
}

function fixtureOf<Store>(open: (process: DiskProcess) => Store): {
  readonly create: () => Promise<Store>
  readonly reopen: () => Promise<Store>
} {
  let disk: SimulatedDisk
  return {
    create: async () => {
      disk = new SimulatedDisk(new SeededRandom(1))
      return open(createProcess(disk))
    },
    reopen: async () => open(createProcess(disk))
  }
}

testBlockStore(
  'simulated',
  fixtureOf(process => new SimulatedBlockStore(process))
)
testHeadStore(
  'simulated',
  fixtureOf(process => new SimulatedHeadStore(process))
)
testHolderListStore(
  'simulated',
  fixtureOf(process => new SimulatedHolderListStore(process))
)

const test = suite('simulated disk')

test('keeps what was synced through a crash, and some of the rest', async () => {
  const disk = new SimulatedDisk(new SeededRandom(2))
  const store = new SimulatedBlockStore(createProcess(disk))
  const blocks = await Promise.all(
    Array.from({ length: 200 }, (_, number) => createBlock('raw', Uint8Array.of(number)))
  )
  await store.putMany(blocks.slice(0, 100))
  await store.sync()
  await store.putMany(blocks.slice(100))
  disk.crash()
  const again = new SimulatedBlockStore(createProcess(disk))
  const found = await Promise.all(blocks.map(({ id }) => again.has(id)))
  assert.ok(found.slice(0, 100).every(Boolean))
  const survivors = found.slice(100).filter(Boolean).length
  assert.ok(survivors > 20 && survivors < 80, `${survivors} of 100 survived`)
})

test('a rotten block seems to be there until it is read, and can be put again then', async () => {
  const disk = new SimulatedDisk(new SeededRandom(3))
  const store = new SimulatedBlockStore(createProcess(disk))
  const block = await createBlock('raw', Uint8Array.of(1, 2, 3))
  await store.putMany([block])
  disk.rot(block.id)
  assert.equal(await store.has(block.id), true)
  assert.equal(await store.get(block.id), undefined)
  assert.equal(await store.has(block.id), false)
  await store.putMany([block])
  assert.deepEqual(await store.get(block.id), block.bytes)
})

test('a full disk refuses blocks and keeps what it has', async () => {
  const disk = new SimulatedDisk(new SeededRandom(4))
  const store = new SimulatedBlockStore(createProcess(disk))
  const [kept, refused] = [
    await createBlock('raw', Uint8Array.of(1)),
    await createBlock('raw', Uint8Array.of(2))
  ]
  await store.putMany([kept])
  disk.fill(0)
  await assert.rejects(store.putMany([kept, refused]), { code: 'ENOSPC' })
  assert.deepEqual(await store.get(kept.id), kept.bytes)
  assert.equal(await store.get(refused.id), undefined)
  await store.deleteMany([kept.id])
  await store.putMany([refused])
  await assert.rejects(store.putMany([kept]), { code: 'ENOSPC' })
})

test('a killed process hears nothing of its disk any more', async () => {
  const disk = new SimulatedDisk(new SeededRandom(5))
  const process = createProcess(disk)
  const store = new SimulatedBlockStore(process)
  const block = await createBlock('raw', Uint8Array.of(1))
  process.kill()
  let heard = false
  for (const work of [store.putMany([block]), store.sync(), store.get(block.id)]) {
    void work.finally(() => (heard = true))
  }
  await new Promise(resolve => setTimeout(resolve, 30))
  assert.equal(heard, false)
  assert.equal(disk.blocks.size, 0)
})

test.run()
