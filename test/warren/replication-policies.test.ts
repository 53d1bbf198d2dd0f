/** Who has copies of what, as apps say, and how holders come and go. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { readFile, readdir } from 'node:fs/promises'
import { join as joinPath } from 'node:path'
import type { ReplicationEvents } from '../../src/index.ts'
import { noise, prose } from '../blocks/encoding/fixtures.ts'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { eventually, rejectsWith } from './fixtures.ts'
import { MIB, join, linkBy, sameBytes, soon, start } from './replication-fixtures.ts'

const test = suite('policies and holders')

test('policies go by the nearest directory, and stay with it when it moves', async () => {
  await using alice = await start()
  const { replication, fs } = alice
  assert.deepEqual(await replication.policy('/'), {
    replicas: 1,
    minimum: 1,
    on: [],
    from: '/'
  })
  await fs.mkdir('/a/b', { recursive: true })
  await fs.writeFile('/a/b/file', 'x')
  await replication.set('/', { replicas: 3 })
  await replication.set('/a', { replicas: 'all', minimum: 1 })
  await replication.set('/a/b/file', { replicas: 5, minimum: 4 })
  assert.deepEqual(await replication.policy('/a/b'), {
    replicas: 'all',
    minimum: 1,
    on: [],
    from: '/a'
  })
  await fs.rename('/a', '/c')
  assert.equal((await replication.policy('/c/b')).from, '/c')
  assert.equal((await replication.policy('/c/b/file')).replicas, 5)
  assert.equal((await replication.policy('/')).minimum, 2)
  await replication.unset('/c')
  assert.equal((await replication.policy('/c/b')).from, '/')
  await replication.unset('/')
  assert.equal((await replication.policy('/c/b')).replicas, 1)

  await rejectsWith(replication.set('/', { replicas: 2, minimum: 3 }), 'EINVAL')
  await rejectsWith(replication.set('/', { replicas: 0 }), 'EINVAL')
  await rejectsWith(replication.set('/', { replicas: 1.5 }), 'EINVAL')
  await rejectsWith(replication.set('/nowhere', { replicas: 2 }), 'ENOENT')
  await rejectsWith(replication.durable('/', { copies: 2 }), 'EINVAL')
  await rejectsWith(replication.durable('/', { copies: 0 }), 'EINVAL')
  await rejectsWith(replication.durable('/'), 'EINVAL')
  await replication.unset('/c/b/file')
  await replication.durable('/')
  await using bob = await start()
  await bob.mount('/alice', await alice.share('/'))
  await rejectsWith(bob.replication.set('/alice/c', { replicas: 2 }), 'EROFS')
  await rejectsWith(bob.replication.durable('/alice'), 'EROFS')
})

test('a directory has as many copies as it should, and one at whom is named', async () => {
  await using alice = await start()
  await using bob = await start()
  await using carol = await start()
  await join(alice, bob, carol)
  await alice.fs.mkdir('/twice')
  await alice.fs.mkdir('/once')
  await alice.replication.set('/twice', { replicas: 2 })
  await alice.fs.writeFile('/once/a', noise(4 * MIB, 1))
  await alice.fs.writeFile('/twice/b', noise(4 * MIB, 2))
  await alice.replication.durable('/twice', soon())
  await rejectsWith(alice.replication.durable('/twice', { copies: 3, ...soon() }), 'EINVAL')
  const { folders } = await alice.replication.status('/')
  assert.deepEqual(
    folders.map(({ path }) => path),
    ['/', '/once', '/twice']
  )
  const [, once, twice] = folders
  // Placement gives some of it to others, and the owner has all of it beside.
  assert.equal(once!.total.bytes, 4 * MIB)
  assert.ok((once!.copies[2]?.bytes ?? 0) > MIB)
  assert.equal(once!.copies[3], undefined)
  assert.equal((twice!.copies[2]?.bytes ?? 0) + (twice!.copies[3]?.bytes ?? 0), 4 * MIB)

  await alice.replication.replicate('/once', { on: carol.id, ...soon() })
  assert.deepEqual((await alice.replication.policy('/once/a')).on, [carol.id])
  const after = await alice.replication.status('/once')
  assert.equal(after.folders[0]!.copies[1]?.bytes, 0)
  await alice.stop()
  await bob.stop()
  await using reader = await start()
  await reader.mount('/alice', linkBy(alice.volume, carol))
  sameBytes(await reader.fs.readFile('/alice/once/a'), noise(4 * MIB, 1))
  await rejectsWith(carol.replication.replicate('/', { on: reader.id }), 'EINVAL')
})

test('a holder that leaves is let go when what it has is elsewhere', async () => {
  await using alice = await start()
  await using bob = await start()
  await using carol = await start()
  await join(alice, bob)
  await alice.replication.set('/', { replicas: 2 })
  await alice.fs.writeFile('/photo', noise(2 * MIB), { durable: 2 })
  await join(alice, carol)
  await bob.replication.leave(soon())
  assert.deepEqual(bob.replication.held(), [])
  assert.equal(alice.replication.holders().length, 2)
  await alice.replication.durable('/', { copies: 2, ...soon() })
  await alice.stop()
  await using reader = await start()
  await reader.mount('/alice', linkBy(alice.volume, carol))
  sameBytes(await reader.fs.readFile('/alice/photo'), noise(2 * MIB))
})

test('a pledge and a zone that change reach the owner, also one that was away', async () => {
  await using directory = await createTemporaryDirectory('pledges')
  const start2 = (): ReturnType<typeof start> => start({ directory: directory.join('bob') })
  const identity = { directory: directory.join('alice') }
  let alice = await start(identity)
  let bob = await start2()
  try {
    await join(alice, bob)
    await bob.replication.pledge({ bytes: 40 * MIB, zone: 'attic' })
    const heard = (bytes: number, zone: string): Promise<void> =>
      eventually(() => {
        const holder = alice.replication.holders().find(({ peer }) => peer === bob.id)
        assert.deepEqual([holder?.pledgeBytes, holder?.zone], [bytes, zone])
      })
    await heard(40 * MIB, 'attic')
    assert.equal(bob.replication.held()[0]?.pledgeBytes, 40 * MIB)
    const { id } = alice
    await alice.stop()
    await bob.replication.pledge({ bytes: 20 * MIB, zone: 'cellar' })
    await bob.stop()
    bob = await start2()
    alice = await start(identity)
    assert.equal(alice.id, id)
    await alice.connect(bob.addresses()[0]!)
    await heard(20 * MIB, 'cellar')
  } finally {
    await alice.stop()
    await bob.stop()
  }
})

test('an owner has a holder drained and removed, or removes it at once', async () => {
  await using alice = await start()
  await using bob = await start()
  await using carol = await start()
  await join(alice, bob, carol)
  await alice.replication.set('/', { replicas: 2 })
  await alice.fs.writeFile('/photo', noise(2 * MIB))
  await alice.replication.durable('/', soon())
  await alice.replication.remove(bob.id, soon())
  await eventually(() => assert.deepEqual(bob.replication.held(), []))
  await alice.replication.durable('/', { copies: 2, ...soon() })
  await alice.replication.remove(carol.id, { drain: false })
  await eventually(() => assert.deepEqual(carol.replication.held(), []))
  await rejectsWith(alice.replication.remove(carol.id), 'EINVAL')
  assert.equal(alice.replication.holders().length, 1)
})

test('events tell who is gone, what is short of copies, and when all is well again', async () => {
  await using alice = await start()
  const bob = await start()
  await using carol = await start()
  const told: string[] = []
  for (const name of [
    'holder-joined',
    'holder-gone',
    'under-replicated',
    'replicated'
  ] as const satisfies readonly (keyof ReplicationEvents)[]) {
    alice.replication.events.addEventListener(name, () => told.push(name))
  }
  await join(alice, bob, carol)
  await alice.replication.set('/', { replicas: 2 })
  await alice.fs.writeFile('/photo', noise(2 * MIB))
  await alice.replication.durable('/', soon())
  await eventually(() => assert.equal(told.at(-1), 'replicated'))
  assert.deepEqual(told.slice(0, 2), ['holder-joined', 'holder-joined'])
  told.length = 0
  await bob.stop()
  await eventually(() => assert.ok(told.includes('holder-gone')))
  await eventually(() => assert.equal(told.at(-1), 'replicated'))
  assert.deepEqual(told, ['holder-gone', 'under-replicated', 'replicated'])
  const { folders, holders } = await alice.replication.status()
  assert.equal(holders.find(({ peer }) => peer === bob.id)!.presence, 'gone')
  assert.equal(folders[0]!.copies[2]!.bytes, 2 * MIB)
  told.length = 0
  await alice.replication.set('/', { replicas: 3 })
  await eventually(() => assert.deepEqual(told, ['under-replicated']))
})

test('a sealed volume is held by who cannot read it', async () => {
  await using directory = await createTemporaryDirectory('replication')
  await using alice = await start({ sealed: true })
  await using bob = await start({ directory: directory.path })
  await join(alice, bob)
  await alice.replication.set('/', { replicas: 2 })
  await alice.fs.mkdir('/xylograph')
  await rejectsWith(alice.replication.set('/xylograph', { replicas: 2 }), 'ENOTSUP')
  await alice.fs.writeFile('/xylograph/quixotry', prose(300_000))
  await alice.replication.durable('/', { copies: 2, ...soon() })
  const { folders } = await alice.replication.status('/xylograph')
  assert.equal(folders[0]!.copies[2]!.files, 1)
  await bob.collect()
  const link = await alice.share('/')
  await alice.stop()

  const written: Buffer[] = []
  for (const entry of await readdir(directory.path, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) written.push(await readFile(joinPath(entry.parentPath, entry.name)))
  }
  const all = Buffer.concat(written)
  const sample = Buffer.from(prose(300_000)).subarray(1000, 1030)
  assert.ok(all.length > 10_000)
  for (const secret of ['xylograph', 'quixotry', sample]) assert.ok(!all.includes(secret))

  await using reader = await start()
  await reader.connect(bob.addresses()[0]!)
  await reader.mount('/alice', link)
  sameBytes(await reader.fs.readFile('/alice/xylograph/quixotry'), prose(300_000))
})

test.run()
