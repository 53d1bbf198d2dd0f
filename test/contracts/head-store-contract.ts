/** The suite every head store passes. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { HeadStore } from '../../src/namespace/heads/head-store.ts'
import { createOwner, rootOf } from '../namespace/heads/fixtures.ts'

export interface HeadStoreFixture {
  /** A new, empty store. */
  create(): Promise<HeadStore>
  /** Opens the store last created again, after it was closed. Absent for stores that forget. */
  reopen?(): Promise<HeadStore>
  destroy?(): Promise<void>
}

export function testHeadStore(name: string, fixture: HeadStoreFixture): void {
  const test = suite<{ store: HeadStore }>(`head store: ${name}`)
  test.before.each(async context => {
    context.store = await fixture.create()
  })
  test.after.each(async context => {
    await context.store.close()
    await fixture.destroy?.()
  })

  test('has no head of an unknown volume', async ({ store }) => {
    const { volume } = await createOwner()
    assert.equal(await store.get(volume), undefined)
    assert.deepEqual(await store.volumes(), [])
    await store.delete(volume)
  })

  test('gives back the head that was set last', async ({ store }) => {
    const { volume, sign } = await createOwner()
    let expected: number | undefined
    for (const sequence of [0, 1, 2, 7, 100]) {
      const head = await sign(sequence)
      assert.equal(await store.compareAndSet(expected, head), true)
      assert.deepEqual(await store.get(volume), head)
      expected = sequence
    }
    assert.deepEqual(await store.volumes(), [volume])
  })

  test('changes nothing unless the sequence is the expected one', async ({ store }) => {
    const { volume, sign } = await createOwner()
    const [first, second] = [await sign(1), await sign(2)]
    assert.equal(await store.compareAndSet(1, second), false)
    assert.equal(await store.get(volume), undefined)
    assert.equal(await store.compareAndSet(undefined, first), true)
    assert.equal(await store.compareAndSet(undefined, second), false)
    assert.equal(await store.compareAndSet(0, second), false)
    assert.equal(await store.compareAndSet(2, second), false)
    assert.deepEqual(await store.get(volume), first)
  })

  test('moves forwards only', async ({ store }) => {
    const { volume, sign } = await createOwner()
    const head = await sign(5)
    await store.compareAndSet(undefined, head)
    await assert.rejects(store.compareAndSet(5, await sign(4)), { code: 'EINVAL' })
    await assert.rejects(store.compareAndSet(5, head), { code: 'EINVAL' })
    await assert.rejects(store.compareAndSet(5, await sign(5, rootOf(6))), { code: 'EINVAL' })
    assert.deepEqual(await store.get(volume), head)
  })

  test('takes the branch of a fork that every peer keeps', async ({ store }) => {
    const { volume, sign } = await createOwner()
    await store.compareAndSet(undefined, await sign(5, rootOf(9)))
    const kept = await sign(5, rootOf(3))
    assert.equal(await store.compareAndSet(5, kept), true)
    assert.deepEqual(await store.get(volume), kept)
  })

  test('lets exactly one of many changes at once win', async ({ store }) => {
    const { volume, sign } = await createOwner()
    let expected: number | undefined
    for (let round = 1; round <= 5; round++) {
      const heads = await Promise.all([1, 2, 3, 4, 5, 6].map(root => sign(round, rootOf(root))))
      const won = await Promise.all(heads.map(head => store.compareAndSet(expected, head)))
      assert.equal(won.filter(Boolean).length, 1, `round ${round}`)
      assert.deepEqual(await store.get(volume), heads[won.indexOf(true)])
      expected = round
    }
  })

  test('keeps volumes apart', async ({ store }) => {
    const owners = await Promise.all(Array.from({ length: 10 }, createOwner))
    await Promise.all(
      owners.map(async ({ sign }, index) => store.compareAndSet(undefined, await sign(index)))
    )
    for (const [index, { volume }] of owners.entries()) {
      assert.equal((await store.get(volume))?.sequence, index)
    }
    assert.deepEqual((await store.volumes()).sort(), owners.map(({ volume }) => volume).sort())
  })

  test('forgets what is deleted, and takes it again from the start', async ({ store }) => {
    const [alice, bob] = [await createOwner(), await createOwner()]
    await store.compareAndSet(undefined, await alice.sign(5))
    await store.compareAndSet(undefined, await bob.sign(5))
    await store.delete(alice.volume)
    assert.equal(await store.get(alice.volume), undefined)
    assert.deepEqual(await store.volumes(), [bob.volume])
    assert.equal(await store.compareAndSet(5, await alice.sign(6)), false)
    assert.equal(await store.compareAndSet(undefined, await alice.sign(1)), true)
    assert.equal((await store.get(alice.volume))?.sequence, 1)
  })

  test('closes twice and refuses work afterwards', async ({ store }) => {
    const { volume, sign } = await createOwner()
    const head = await sign(1)
    await store.close()
    await store.close()
    await assert.rejects(store.get(volume), { code: 'EBADF' })
    await assert.rejects(store.compareAndSet(undefined, head), { code: 'EBADF' })
    await assert.rejects(store.volumes(), { code: 'EBADF' })
    await assert.rejects(store.delete(volume), { code: 'EBADF' })
  })

  if (fixture.reopen !== undefined) {
    const reopen = fixture.reopen.bind(fixture)
    test('holds the same heads after it is opened again', async ({ store }) => {
      const [alice, bob, gone] = [await createOwner(), await createOwner(), await createOwner()]
      await store.compareAndSet(undefined, await gone.sign(1))
      await store.compareAndSet(undefined, await alice.sign(1))
      for (let sequence = 2; sequence < 7; sequence++) {
        await store.compareAndSet(sequence - 1, await alice.sign(sequence))
      }
      await store.delete(gone.volume)
      // Closing waits for what is under way.
      const last = store.compareAndSet(undefined, await bob.sign(3))
      await store.close()
      assert.equal(await last, true)
      const again = await reopen()
      try {
        assert.deepEqual(await again.get(alice.volume), await alice.sign(6))
        assert.deepEqual(await again.get(bob.volume), await bob.sign(3))
        assert.equal(await again.get(gone.volume), undefined)
        assert.deepEqual((await again.volumes()).sort(), [alice.volume, bob.volume].sort())
        assert.equal(await again.compareAndSet(6, await alice.sign(7)), true)
      } finally {
        await again.close()
      }
    })
  }

  test.run()
}
