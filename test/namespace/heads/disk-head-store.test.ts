import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { readFile, rename, truncate, writeFile } from 'node:fs/promises'
import { openDiskHeadStore } from '../../../src/namespace/disk/index.ts'
import { testHeadStore } from '../../contracts/head-store-contract.ts'
import { createTemporaryDirectory } from '../../fixtures/temporary-directory.ts'
import type { TemporaryDirectory } from '../../fixtures/temporary-directory.ts'
import { createOwner } from './fixtures.ts'
import type { Owner } from './fixtures.ts'

let directory: TemporaryDirectory
testHeadStore('disk', {
  create: async () => {
    directory = await createTemporaryDirectory('heads')
    return await openDiskHeadStore(directory.join('heads'))
  },
  reopen: () => openDiskHeadStore(directory.join('heads')),
  destroy: () => directory.remove()
})

const test = suite('disk head store')
const SLOT_BYTES = 4096

/** A directory whose store has heads 1 to `last` of one owner. The newest is in the slot of its parity. */
async function fill(directory: TemporaryDirectory, owner: Owner, last: number): Promise<string> {
  const store = await openDiskHeadStore(directory.path)
  for (let sequence = 1; sequence <= last; sequence++) {
    const expected = sequence === 1 ? undefined : sequence - 1
    assert.ok(await store.compareAndSet(expected, await owner.sign(sequence)))
  }
  await store.close()
  return directory.join(`${owner.volume}.head`)
}

/** What a store that is opened now has: a sequence, undefined, or the code of what it throws. */
async function sequenceIn(directory: TemporaryDirectory, owner: Owner): Promise<unknown> {
  const store = await openDiskHeadStore(directory.path)
  try {
    return (await store.get(owner.volume))?.sequence
  } catch (error) {
    return (error as { code: string }).code
  } finally {
    await store.close()
  }
}

test('falls back to the last good head for every byte of the newest that is wrong', async () => {
  await using directory = await createTemporaryDirectory('heads')
  const owner = await createOwner()
  const path = await fill(directory, owner, 6)
  const good = await readFile(path)
  const usedBytes = 6 + (await owner.sign(6)).bytes.length + 32
  for (let index = 0; index < usedBytes; index++) {
    const bad = Buffer.from(good)
    bad[SLOT_BYTES + index]! ^= 1 << (index % 8)
    await writeFile(path, bad)
    assert.equal(await sequenceIn(directory, owner), 5, `byte ${index}`)
  }
  await writeFile(path, good)
  assert.equal(await sequenceIn(directory, owner), 6)
})

test('reads the newest head whatever becomes of the older one', async () => {
  await using directory = await createTemporaryDirectory('heads')
  const owner = await createOwner()
  const path = await fill(directory, owner, 6)
  const good = await readFile(path)
  for (const byte of [0, 0xff]) {
    await writeFile(path, Buffer.from(good).fill(byte, 0, SLOT_BYTES))
    assert.equal(await sequenceIn(directory, owner), 6)
  }
})

test('survives a write torn at every byte', async () => {
  await using directory = await createTemporaryDirectory('heads')
  const owner = await createOwner()
  const path = await fill(directory, owner, 5)
  const before = await readFile(path)
  await advance(directory, owner, 6)
  const after = await readFile(path)
  const length = 6 + (await owner.sign(6)).bytes.length + 32
  for (let written = 0; written < length; written++) {
    const torn = Buffer.from(before)
    after.copy(torn, SLOT_BYTES, SLOT_BYTES, SLOT_BYTES + written)
    await writeFile(path, torn)
    assert.equal(await sequenceIn(directory, owner), 5, `${written} bytes written`)
  }
})

test('survives truncation down to the end of its first head', async () => {
  await using directory = await createTemporaryDirectory('heads')
  const owner = await createOwner()
  const path = await fill(directory, owner, 6)
  const good = await readFile(path)
  const firstEnd = 6 + (await owner.sign(5)).bytes.length + 32
  const secondEnd = SLOT_BYTES + 6 + (await owner.sign(6)).bytes.length + 32
  for (let length = secondEnd + 20; length >= 0; length -= length % 7 === 0 ? 7 : 1) {
    await writeFile(path, good.subarray(0, length))
    const expected = length >= secondEnd ? 6 : length >= firstEnd ? 5 : 'EIO'
    assert.equal(await sequenceIn(directory, owner), expected, `${length} bytes`)
  }
})

test('takes changes again after a truncation', async () => {
  await using directory = await createTemporaryDirectory('heads')
  const owner = await createOwner()
  const path = await fill(directory, owner, 6)
  await truncate(path, 1000)
  const store = await openDiskHeadStore(directory.path)
  assert.equal(await store.compareAndSet(5, await owner.sign(6)), true)
  assert.equal(await store.compareAndSet(6, await owner.sign(7)), true)
  await store.close()
  assert.equal(await sequenceIn(directory, owner), 7)
})

test('says that a head is lost rather than that there never was one', async () => {
  await using directory = await createTemporaryDirectory('heads')
  const [alice, bob] = [await createOwner(), await createOwner()]
  const path = await fill(directory, alice, 2)
  await fill(directory, bob, 2)
  await writeFile(path, '')
  const store = await openDiskHeadStore(directory.path)
  await assert.rejects(store.get(alice.volume), { code: 'EIO' })
  await assert.rejects(store.compareAndSet(undefined, await alice.sign(1)), { code: 'EIO' })
  assert.equal((await store.get(bob.volume))?.sequence, 2)
  assert.deepEqual((await store.volumes()).sort(), [alice.volume, bob.volume].sort())
  await store.delete(alice.volume)
  assert.equal(await store.compareAndSet(undefined, await alice.sign(1)), true)
  await store.close()
})

test("does not take another volume's file for its own", async () => {
  await using directory = await createTemporaryDirectory('heads')
  const [alice, bob] = [await createOwner(), await createOwner()]
  const path = await fill(directory, alice, 2)
  await writeFile(directory.join(`${bob.volume}.head`), await readFile(path))
  assert.equal(await sequenceIn(directory, bob), 'EIO')
})

test('keeps the last good head when a change cannot be written, and goes on when it can', async () => {
  await using directory = await createTemporaryDirectory('heads')
  const owner = await createOwner()
  const path = await fill(directory, owner, 2)
  const store = await openDiskHeadStore(directory.path)
  assert.equal((await store.get(owner.volume))?.sequence, 2)
  await rename(path, `${path}.away`)
  await assert.rejects(store.compareAndSet(2, await owner.sign(3)), { code: 'EIO' })
  assert.equal((await store.get(owner.volume))?.sequence, 2)
  await rename(`${path}.away`, path)
  assert.equal(await store.compareAndSet(2, await owner.sign(3)), true)
  await store.close()
  assert.equal(await sequenceIn(directory, owner), 3)
})

test('passes over files that are not its own', async () => {
  await using directory = await createTemporaryDirectory('heads')
  const { volume } = await createOwner()
  for (const name of ['.head', 'nonsense.head', volume, `${volume}.head.new`, 'readme.txt']) {
    await writeFile(directory.join(name), 'nothing')
  }
  const store = await openDiskHeadStore(directory.path)
  assert.deepEqual(await store.volumes(), [])
  assert.equal(await store.get(volume), undefined)
  await store.close()
})

test('finds the branch of a fork that was kept', async () => {
  await using directory = await createTemporaryDirectory('heads')
  const owner = await createOwner()
  await fill(directory, owner, 4)
  const store = await openDiskHeadStore(directory.path)
  const kept = await owner.sign(4, (await owner.sign(1)).root)
  assert.equal(await store.compareAndSet(4, kept), true)
  await store.close()
  const again = await openDiskHeadStore(directory.path)
  assert.deepEqual(await again.get(owner.volume), kept)
  await again.close()
})

async function advance(directory: TemporaryDirectory, owner: Owner, next: number): Promise<void> {
  const store = await openDiskHeadStore(directory.path)
  assert.ok(await store.compareAndSet(next - 1, await owner.sign(next)))
  await store.close()
}

test.run()
