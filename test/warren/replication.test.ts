/** An owner and its friends keep copies for each other. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { readdir, rm } from 'node:fs/promises'
import { noise } from '../blocks/encoding/fixtures.ts'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { eventually, rejectsWith } from './fixtures.ts'
import { MIB, join, linkBy, sameBytes, soon, start } from './replication-fixtures.ts'

const test = suite('replication')

test('a file is at every holder, and who reads does not notice when its owner goes', async () => {
  await using alice = await start()
  await using bob = await start()
  await using carol = await start()
  await using dave = await start()
  await join(alice, bob, carol)
  await alice.replication.set('/', { replicas: 3 })
  const bytes = noise(3 * MIB)
  await alice.fs.writeFile('/photo', bytes)
  await alice.fs.writeFile('/note', 'short')
  await alice.replication.durable('/', { copies: 3, ...soon() })

  const { folders, holders, version, repairing } = await alice.replication.status()
  assert.equal(folders.length, 1)
  assert.deepEqual(folders[0]!.total, { files: 2, bytes: 3 * MIB + 5 })
  assert.deepEqual(folders[0]!.copies, [
    { files: 0, bytes: 0 },
    { files: 0, bytes: 0 },
    { files: 0, bytes: 0 },
    { files: 2, bytes: 3 * MIB + 5 }
  ])
  assert.deepEqual(folders[0]!.endangered, { files: 0, bytes: 0 })
  assert.deepEqual(repairing, { blocks: 0, bytes: 0 })
  assert.ok(version > 0)
  assert.deepEqual(holders.map(({ peer }) => peer).sort(), [alice.id, bob.id, carol.id].sort())
  assert.deepEqual(
    holders.filter(({ owner }) => owner).map(({ peer }) => peer),
    [alice.id]
  )
  const [held] = bob.replication.held()
  assert.equal(held!.volume, alice.volume)
  assert.equal(held!.owner, alice.id)
  assert.ok(held!.usedBytes > 3 * MIB)
  assert.equal(bob.replication.pledged().usedBytes, held!.usedBytes)

  const link = await alice.share('/')
  assert.ok(link.includes(bob.id) && link.includes(carol.id))
  await dave.mount('/alice', link)
  assert.equal(await dave.fs.readFile('/alice/note', 'utf8'), 'short')
  await alice.stop()
  sameBytes(await dave.fs.readFile('/alice/photo'), bytes)

  await using erin = await start()
  await erin.mount('/alice', linkBy(alice.volume, bob))
  await bob.stop()
  sameBytes(await erin.fs.readFile('/alice/photo'), bytes)
})

test('an invitation lets one in, once, and nobody without a pledge', async () => {
  await using alice = await start()
  await using bob = await start()
  await using carol = await start()
  const joined: string[] = []
  alice.replication.events.addEventListener('holder-joined', ({ detail }) => {
    joined.push(detail.peer)
  })
  const invitation = await alice.replication.invite()
  await rejectsWith(bob.replication.accept(invitation), 'EDQUOT')
  await bob.replication.pledge({ bytes: MIB, zone: 'attic' })
  await rejectsWith(bob.replication.accept(invitation, { bytes: MIB + 1 }), 'EDQUOT')
  assert.equal(await bob.replication.accept(invitation, { bytes: MIB / 2 }), alice.volume)
  // Whoever accepts again after a lost answer is told the same again.
  assert.equal(await bob.replication.accept(invitation), alice.volume)
  await carol.replication.pledge({ bytes: MIB })
  await rejectsWith(carol.replication.accept(invitation), 'EACCES')
  await rejectsWith(carol.replication.accept(await carol.replication.invite()), 'EINVAL')
  await rejectsWith(carol.replication.accept(await alice.share('/')), 'EINVAL')
  await rejectsWith(carol.replication.accept('nonsense'), 'EINVAL')
  assert.deepEqual(joined, [bob.id])
  const [holder] = alice.replication.holders().filter(({ owner }) => !owner)
  assert.equal(holder!.pledgeBytes, MIB / 2)
  assert.equal(holder!.zone, 'attic')
  const [self] = alice.replication.holders().filter(({ owner }) => owner)
  assert.equal(self!.pledgeBytes, MIB / 2)

  const late = await alice.replication.invite()
  await alice.stop()
  await rejectsWith(carol.replication.accept(late), 'EHOSTUNREACH')
  assert.deepEqual(carol.replication.held(), [])
})

test('whoever is named in a pledge holds when it is asked', async () => {
  await using alice = await start()
  await using bob = await start()
  await using carol = await start()
  await alice.connect(bob.addresses()[0]!)
  await alice.connect(carol.addresses()[0]!)
  await bob.replication.pledge({ bytes: 2 * MIB, to: [alice.id, carol.id] })
  const used = await alice.replication.invite(bob.id)
  assert.deepEqual(
    alice.replication
      .holders()
      .map(({ peer }) => peer)
      .sort(),
    [alice.id, bob.id].sort()
  )
  // Half of it is carol's, who may still come.
  assert.equal(bob.replication.held()[0]!.pledgeBytes, MIB)
  await carol.replication.pledge({ bytes: MIB })
  await rejectsWith(carol.replication.accept(used), 'EACCES')
  await carol.replication.accept(await alice.replication.invite(carol.id))
  assert.equal(alice.replication.holders().length, 3)
  await alice.fs.writeFile('/a', noise(100_000), { durable: 1 })
  await alice.replication.set('/', { replicas: 3 })
  await alice.replication.durable('/', soon())
})

test('holders go on after a restart, and get what was written meanwhile', async () => {
  await using directory = await createTemporaryDirectory('replication')
  const options = { directory: directory.join('bob') }
  await using alice = await start({ directory: directory.join('alice') })
  const bob = await start(options)
  await join(alice, bob)
  await alice.replication.set('/', { replicas: 2 })
  const handle = await alice.fs.open('/before', 'w')
  await handle.writeFile(noise(MIB, 1))
  await handle.sync({ durable: 2 })
  await handle.close()
  await bob.stop()
  await alice.fs.writeFile('/meanwhile', noise(MIB, 2))
  await rejectsWith(alice.replication.durable('/meanwhile', { timeoutMs: 200 }), 'ETIMEDOUT')
  const behind = await alice.replication.status()
  // What was there before is still at bob's.
  const { copies } = behind.folders[0]!
  assert.deepEqual(
    [copies[1], copies[2]],
    [
      { files: 1, bytes: MIB },
      { files: 1, bytes: MIB }
    ]
  )

  await using again = await start(options)
  assert.equal(again.replication.held()[0]!.volume, alice.volume)
  assert.equal(again.replication.pledged().bytes, 100 * MIB)
  await alice.replication.durable('/', { copies: 2, ...soon() })

  await alice.stop()
  await using reader = await start()
  await reader.mount('/alice', linkBy(alice.volume, again))
  sameBytes(await reader.fs.readFile('/alice/meanwhile'), noise(MIB, 2))
  await using alone = await start({ directory: directory.join('alice') })
  assert.deepEqual(
    alone.replication
      .holders()
      .map(({ peer }) => peer)
      .sort(),
    [alone.id, again.id].sort()
  )
  assert.equal((await alone.replication.policy('/before')).replicas, 2)
})

test('who reads finds the holders again after a restart, when whoever it knew them from is gone', async () => {
  await using directory = await createTemporaryDirectory('replication')
  const options = { directory: directory.join('reader') }
  await using alice = await start()
  await using bob = await start()
  await join(alice, bob)
  await alice.replication.set('/', { replicas: 2 })
  const bytes = noise(MIB)
  await alice.fs.writeFile('/photo', bytes, { durable: 2 })
  await alice.share('/')
  const reader = await start(options)
  await reader.mount('/alice', linkBy(alice.volume, alice))
  const lists = directory.join('reader', 'holders')
  await eventually(async () => {
    assert.ok((await readdir(lists)).includes(`${alice.volume}.holders`))
    const found = reader.peer.known().find(({ id }) => id === bob.id)
    assert.ok(found !== undefined && found.addresses.length > 0)
  })
  await reader.stop()
  await alice.stop()

  await using again = await start(options)
  sameBytes(await again.fs.readFile('/alice/photo'), bytes)
  await again.unmount('/alice')
  assert.deepEqual(
    (await readdir(lists)).filter(name => name.startsWith(alice.volume)),
    []
  )
})

test('an owner who lost every block starts, finds its holders where they were, and reads', async () => {
  await using directory = await createTemporaryDirectory('replication')
  const options = { directory: directory.join('alice') }
  await using bob = await start()
  const bytes = noise(MIB)
  {
    await using alice = await start(options)
    await join(alice, bob)
    await alice.replication.set('/', { replicas: 2 })
    await alice.fs.writeFile('/photo', bytes, { durable: 2 })
  }
  await rm(directory.join('alice', 'blocks'), { recursive: true })
  await using alice = await start(options)
  sameBytes(await alice.fs.readFile('/photo'), bytes)
})

test('collection keeps what is held, and gives it up when it is not held any more', async () => {
  await using alice = await start()
  await using bob = await start()
  await join(alice, bob)
  await alice.replication.set('/', { replicas: 2 })
  await alice.fs.writeFile('/photo', noise(2 * MIB), { durable: 2 })
  await bob.collect()
  assert.ok(bob.usage().bytes > 2 * MIB)
  await bob.replication.leave({ drain: false })
  assert.deepEqual(bob.replication.held(), [])
  await eventually(() => assert.equal(alice.replication.holders().length, 1))
  await bob.collect()
  assert.ok(bob.usage().bytes < MIB)
})

test.run()
