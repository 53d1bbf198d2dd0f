/** The suite every holder list store passes. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { HolderListStore } from '../../src/replication/index.ts'
import { createListOwner, holderFor } from '../replication/fixtures.ts'

export interface HolderListStoreFixture {
  /** A new, empty store. */
  create(): Promise<HolderListStore>
  /** Opens the store last created again, after it was closed. Absent for stores that forget. */
  reopen?(): Promise<HolderListStore>
  destroy?(): Promise<void>
}

export function testHolderListStore(name: string, fixture: HolderListStoreFixture): void {
  const test = suite<{ store: HolderListStore }>(`holder list store: ${name}`)
  test.before.each(async context => {
    context.store = await fixture.create()
  })
  test.after.each(async context => {
    await context.store.close()
    await fixture.destroy?.()
  })

  test('has no list of an unknown volume', async ({ store }) => {
    const { volume } = await createListOwner()
    assert.equal(await store.get(volume), undefined)
    assert.deepEqual(await store.volumes(), [])
    await store.delete(volume)
  })

  test('keeps the newest list, whatever order they come in', async ({ store }) => {
    const { volume, sign } = await createListOwner()
    const kept: boolean[] = []
    for (const sequence of [3, 1, 3, 4, 2, 9]) kept.push(await store.put(await sign({ sequence })))
    assert.deepEqual(kept, [true, false, false, true, false, true])
    assert.deepEqual(await store.get(volume), await sign({ sequence: 9 }))
    assert.deepEqual(await store.volumes(), [volume])
  })

  test('keeps the same one of two lists with one sequence', async ({ store }) => {
    const { volume, sign } = await createListOwner()
    const lists = await Promise.all(
      [1, 2, 3, 4, 5].map(number => sign({ holders: [holderFor(number)] }))
    )
    const first = lists.toSorted((one, other) => Buffer.compare(one.bytes, other.bytes))[0]
    await Promise.all(lists.map(list => store.put(list)))
    assert.deepEqual(await store.get(volume), first)
  })

  test('of many lists at once the newest stays', async ({ store }) => {
    const { volume, sign } = await createListOwner()
    const sequences = [5, 2, 8, 1, 9, 7, 3]
    const lists = await Promise.all(sequences.map(sequence => sign({ sequence })))
    await Promise.all(lists.map(list => store.put(list)))
    assert.equal((await store.get(volume))?.sequence, 9)
  })

  test('keeps volumes apart, and forgets what is deleted', async ({ store }) => {
    const [alice, bob] = [await createListOwner(), await createListOwner()]
    await store.put(await alice.sign({ sequence: 5 }))
    await store.put(await bob.sign({ sequence: 6 }))
    assert.deepEqual((await store.volumes()).sort(), [alice.volume, bob.volume].sort())
    await store.delete(alice.volume)
    assert.equal(await store.get(alice.volume), undefined)
    assert.deepEqual(await store.volumes(), [bob.volume])
    assert.equal(await store.put(await alice.sign({ sequence: 1 })), true)
    assert.equal((await store.get(bob.volume))?.sequence, 6)
  })

  test('closes twice and refuses work afterwards', async ({ store }) => {
    const { volume, sign } = await createListOwner()
    const list = await sign()
    await store.close()
    await store.close()
    await assert.rejects(store.get(volume), { code: 'EBADF' })
    await assert.rejects(store.put(list), { code: 'EBADF' })
    await assert.rejects(store.volumes(), { code: 'EBADF' })
    await assert.rejects(store.delete(volume), { code: 'EBADF' })
  })

  if (fixture.reopen !== undefined) {
    const reopen = fixture.reopen.bind(fixture)
    test('holds the same lists after it is opened again', async ({ store }) => {
      const [alice, bob, gone] = await Promise.all([1, 2, 3].map(createListOwner))
      await store.put(await gone!.sign())
      await store.put(await alice!.sign({ sequence: 1 }))
      await store.put(await alice!.sign({ sequence: 2, holders: [holderFor(1)] }))
      await store.delete(gone!.volume)
      // Closing waits for what is under way.
      const last = store.put(await bob!.sign({ sequence: 3 }))
      await store.close()
      assert.equal(await last, true)
      const again = await reopen()
      try {
        const expected = await alice!.sign({ sequence: 2, holders: [holderFor(1)] })
        assert.deepEqual(await again.get(alice!.volume), expected)
        assert.deepEqual((await again.volumes()).sort(), [alice!.volume, bob!.volume].sort())
        assert.equal(await again.put(await alice!.sign({ sequence: 1 })), false)
        assert.equal(await again.put(await bob!.sign({ sequence: 4 })), true)
      } finally {
        await again.close()
      }
    })
  }

  test.run()
}
