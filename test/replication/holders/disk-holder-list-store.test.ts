import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { HOLDER_LIST_BYTES_MAX } from '../../../src/replication/index.ts'
import { openDiskHolderListStore } from '../../../src/replication/disk/index.ts'
import { testHolderListStore } from '../../contracts/holder-list-store-contract.ts'
import { createTemporaryDirectory } from '../../fixtures/temporary-directory.ts'
import type { TemporaryDirectory } from '../../fixtures/temporary-directory.ts'
import { createListOwner } from '../fixtures.ts'

let directory: TemporaryDirectory
testHolderListStore('disk', {
  create: async () => {
    directory = await createTemporaryDirectory('holders')
    return await openDiskHolderListStore(directory.join('holders'))
  },
  reopen: () => openDiskHolderListStore(directory.join('holders')),
  destroy: () => directory.remove()
})

const test = suite('disk holder list store')

test('says that a list is damaged, takes no other for it, and forgets it when told', async () => {
  await using directory = await createTemporaryDirectory('holders')
  const owner = await createListOwner()
  const first = await openDiskHolderListStore(directory.path)
  await first.put(await owner.sign({ sequence: 4 }))
  await first.close()
  const path = directory.join(`${owner.volume}.holders`)
  const good = await readFile(path)
  const flipped = Buffer.from(good)
  flipped[40]! ^= 1
  const damaged = [flipped, good.subarray(1), Buffer.alloc(0), Buffer.concat([good, good])]
  for (const bytes of [...damaged, Buffer.alloc(HOLDER_LIST_BYTES_MAX + 1)]) {
    await writeFile(path, bytes)
    const store = await openDiskHolderListStore(directory.path)
    await assert.rejects(store.get(owner.volume), { code: 'EIO' })
    await assert.rejects(store.put(await owner.sign({ sequence: 9 })), { code: 'EIO' })
    assert.deepEqual(await store.volumes(), [owner.volume])
    await store.close()
  }
  const store = await openDiskHolderListStore(directory.path)
  await store.delete(owner.volume)
  assert.equal(await store.put(await owner.sign({ sequence: 1 })), true)
  await store.close()
})

test('a huge file is refused without being read whole', async () => {
  await using directory = await createTemporaryDirectory('holders')
  const { volume } = await createListOwner()
  const path = directory.join(`${volume}.holders`)
  await writeFile(path, '')
  await truncate(path, 2 ** 40)
  const store = await openDiskHolderListStore(directory.path)
  await assert.rejects(store.get(volume), { code: 'EIO' })
  await store.close()
})

test("does not take another volume's file for its own", async () => {
  await using directory = await createTemporaryDirectory('holders')
  const [alice, bob] = [await createListOwner(), await createListOwner()]
  await writeFile(directory.join(`${bob.volume}.holders`), (await alice.sign()).bytes)
  const store = await openDiskHolderListStore(directory.path)
  await assert.rejects(store.get(bob.volume), { code: 'EIO' })
  await store.close()
})

test('passes over files that are not its own, and removes unfinished ones that are', async () => {
  await using directory = await createTemporaryDirectory('holders')
  const { volume } = await createListOwner()
  const strangers = ['.holders', 'nonsense.holders', volume, 'nonsense.holders.new', 'readme.txt']
  const unfinished = `${volume}.holders.new`
  for (const name of [...strangers, unfinished]) await writeFile(directory.join(name), 'nothing')
  const store = await openDiskHolderListStore(directory.path)
  assert.deepEqual(await store.volumes(), [])
  assert.equal(await store.get(volume), undefined)
  assert.deepEqual((await readdir(directory.path)).sort(), strangers.sort())
  await store.close()
})

test('keeps the list it has when a newer one cannot be written', async () => {
  await using directory = await createTemporaryDirectory('holders')
  const owner = await createListOwner()
  const store = await openDiskHolderListStore(directory.join('lists'))
  await store.put(await owner.sign({ sequence: 1 }))
  await rm(directory.join('lists'), { recursive: true })
  await assert.rejects(store.put(await owner.sign({ sequence: 2 })), { code: 'ENOENT' })
  assert.equal((await store.get(owner.volume))?.sequence, 1)
  await store.close()
})

test.run()
