import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { BlockId } from '../../../src/blocks/index.ts'
import { BlockTable } from '../../../src/replication/holding/block-table.ts'
import { HeldBlocks } from '../../../src/replication/holding/held-blocks.ts'
import { createRandom, makeIds } from '../replicas-fixtures.ts'

const table = suite('block table')

table('finds what was added and not removed, whatever came in between', () => {
  const random = createRandom(5)
  const blocks = new BlockTable(random)
  const model = new Map<BlockId, number>()
  const ids = makeIds(3000)
  for (let step = 0; step < 40_000; step++) {
    const id = ids[Math.floor(random() * ids.length)]!
    const known = model.get(id)
    assert.equal(blocks.find(id), known ?? -1)
    if (known === undefined) {
      const number = blocks.add(id)
      assert.equal(blocks.sizes[number], 0)
      assert.equal(blocks.idOf(number), id)
      model.set(id, number)
    } else if (random() < 0.6) {
      blocks.remove(known)
      model.delete(id)
    } else {
      assert.equal(blocks.add(id), known)
    }
  }
  assert.equal(blocks.count, model.size)
  assert.equal(new Set(model.values()).size, model.size)
  for (const id of ids) assert.equal(blocks.find(id), model.get(id) ?? -1)
})

table('takes some fifty bytes a block', () => {
  const blocks = new BlockTable(createRandom(5))
  for (const id of makeIds(50_000)) blocks.add(id)
  assert.ok(blocks.memoryBytes < 50_000 * 80, `${blocks.memoryBytes / 50_000} bytes`)
})

table.run()

const test = suite('held blocks')

const ids = makeIds(4000, 9)
const nodeIds = ids.filter(id => id.startsWith('bafy'))
const dataIds = ids.filter(id => id.startsWith('bafk'))

/** Sums, by looking at every block. */
function count(blocks: HeldBlocks): object {
  const sums = { heldBytes: 0, wantedBytes: 0, wanted: 0, surplus: 0, inventory: 0 }
  for (let block = 0; block < blocks.end; block++) {
    if (blocks.isPresent(block)) sums.heldBytes += blocks.sizeOf(block)
    if (blocks.isSurplus(block)) sums.surplus++
    if (blocks.inventory.has(blocks.idOf(block)) && blocks.isPresent(block)) sums.inventory++
    if (!blocks.isWanted(block)) continue
    sums.wanted++
    sums.wantedBytes += blocks.sizeOf(block)
  }
  return sums
}

test('what nothing links to any more is forgotten, and the sums are right', () => {
  const random = createRandom(11)
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!
  const blocks = new HeldBlocks(random)
  const roots: number[] = []
  for (let step = 0; step < 300; step++) {
    // A root over three nodes, some of them of other versions, with data below.
    const root = blocks.add(nodeIds[step]!)
    blocks.retain(root)
    roots.push(root)
    if (!blocks.isLoaded(root)) {
      const children = [1, 2, 3].map(() => blocks.add(nodeIds[300 + Math.floor(random() * 100)]!))
      blocks.load(root, children, false)
      blocks.arrive(root, 100)
      if (random() < 0.8) blocks.settle(root)
      for (const child of new Set(children.filter(node => !blocks.isLoaded(node)))) {
        blocks.load(child, [], true)
        assert.ok(blocks.isUndecided(child))
        const data = Array.from({ length: 5 }, () => blocks.add(pick(dataIds)))
        for (const block of data) {
          if (random() < 0.7) blocks.setOurs(block)
          blocks.setSize(block, 10 + Math.floor(random() * 90))
          if (random() < 0.7) blocks.settle(block)
          else if (random() < 0.5) blocks.arrive(block, 50)
          if (random() < 0.1) blocks.lose(block)
        }
        blocks.decide(child, data)
        assert.ok(!blocks.isUndecided(child))
      }
    }
    if (random() < 0.1) blocks.undecideAll()
    if (roots.length > 4) {
      const [leaving] = roots.splice(Math.floor(random() * roots.length), 1)
      const gone = blocks.onlyBelow(leaving!)
      const before = blocks.count
      blocks.release(leaving!)
      assert.equal(before - blocks.count, gone.size)
    }
    const { inventory, ...sums } = count(blocks) as { inventory: number }
    const { heldBytes, wantedBytes, wanted, surplus } = blocks
    assert.deepEqual({ heldBytes, wantedBytes, wanted, surplus }, sums)
    assert.equal(blocks.inventory.size, inventory)
  }
  for (const root of roots) blocks.release(root)
  const { count: left, heldBytes, wanted, surplus } = blocks
  assert.deepEqual(
    { left, heldBytes, wanted, surplus },
    { left: 0, heldBytes: 0, wanted: 0, surplus: 0 }
  )
  assert.equal(blocks.inventory.size, 0)
})

test('what was found and is not ours does not count, until it is ours', () => {
  const blocks = new HeldBlocks(createRandom(1))
  const node = blocks.add(nodeIds[0]!)
  blocks.retain(node)
  blocks.load(node, [], true)
  const [read, ours] = [blocks.add(dataIds[0]!), blocks.add(dataIds[1]!)]
  blocks.decide(node, [read, ours])
  blocks.setOurs(ours)
  for (const block of [read, ours]) {
    blocks.setSize(block, 1)
    blocks.found(block)
    blocks.setSize(block, 100)
  }
  assert.deepEqual([blocks.heldBytes, blocks.surplus], [100, 1])
  assert.ok(blocks.isPresent(read) && blocks.isKept(read) && blocks.isSurplus(read))
  assert.deepEqual([...blocks.counted()], [node, ours])
  assert.equal(blocks.countedBytesOf(read), 0)
  blocks.setOurs(read)
  assert.deepEqual([blocks.heldBytes, blocks.surplus], [200, 0])
  blocks.undecideAll()
  assert.equal(blocks.heldBytes, 200)
  blocks.lose(read)
  blocks.arrive(read, 100)
  assert.equal(blocks.heldBytes, 200)
})

test('a block that is not ours and not here is not kept', () => {
  const blocks = new HeldBlocks(createRandom(1))
  const node = blocks.add(nodeIds[0]!)
  blocks.retain(node)
  const data = blocks.add(dataIds[0]!)
  blocks.load(node, [], true)
  blocks.decide(node, [data])
  assert.ok(!blocks.isKept(data) && !blocks.isHeld(data) && !blocks.isWanted(data))
  blocks.settle(data)
  assert.ok(blocks.isKept(data) && blocks.isSurplus(data) && !blocks.isHeld(data))
  blocks.setOurs(data)
  assert.ok(blocks.isHeld(data) && !blocks.isSurplus(data))
  blocks.undecideAll()
  assert.ok(blocks.isKept(data) && !blocks.isHeld(data))
  blocks.lose(data)
  assert.ok(!blocks.isKept(data))
  blocks.decide(node, [])
  assert.equal(blocks.find(dataIds[0]!), -1)
})

test.run()
