/** An owner and its friends keep copies for each other, over TCP on the loopback address. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { Warren, WarrenOptions } from '../../src/index.ts'
import { noise } from '../blocks/encoding/fixtures.ts'
import { eventually, rejectsWith, startWarren } from './fixtures.ts'

const test = suite('replication')

const MIB = 2 ** 20
const TIMES = { signOfLifeMs: 100, absentMs: 1_000, graceMs: 3_000 }

function start(options: WarrenOptions = {}): Promise<Warren> {
  return startWarren({ replication: TIMES, ...options })
}

/** Lets others hold the volume of the first. */
async function join(owner: Warren, ...holders: Warren[]): Promise<void> {
  for (const holder of holders) {
    await holder.replication.pledge({ bytes: 100 * MIB })
    await holder.replication.accept(await owner.replication.invite())
  }
}

test('a file is at every holder, and durable says when', async () => {
  await using alice = await start()
  await using bob = await start()
  await using carol = await start()
  await join(alice, bob, carol)
  await alice.replication.set('/', { replicas: 3 })
  const bytes = noise(3 * MIB)
  await alice.fs.writeFile('/photo', bytes)
  await alice.replication.durable('/photo', { copies: 3 })
  const { folders, holders } = await alice.replication.status()
  assert.equal(folders[0]!.total.bytes, 3 * MIB)
  assert.deepEqual(folders[0]!.copies.at(3), { files: 1, bytes: 3 * MIB })
  assert.equal(holders.length, 3)
  assert.ok(holders.every(({ presence }) => presence === 'present'))

  const link = await alice.share('/')
  await alice.stop()
  await using dave = await start()
  const [, rest] = link.split('?')
  assert.ok(rest !== undefined)
  const { formatLink } = await import('../../src/namespace/index.ts')
  const viaBob = formatLink({
    volume: alice.volume,
    path: '/',
    peers: [{ id: bob.id, addresses: bob.addresses() }]
  })
  await dave.mount('/alice', viaBob)
  assert.deepEqual(Buffer.from(await dave.fs.readFile('/alice/photo')), Buffer.from(bytes))
})

test('an invitation lets one in, once', async () => {
  await using alice = await start()
  await using bob = await start()
  await using carol = await start()
  const invitation = await alice.replication.invite()
  await rejectsWith(bob.replication.accept(invitation), 'EDQUOT')
  await bob.replication.pledge({ bytes: MIB })
  assert.equal(await bob.replication.accept(invitation), alice.volume)
  await carol.replication.pledge({ bytes: MIB })
  await rejectsWith(carol.replication.accept(invitation), 'EACCES')
  await eventually(() => assert.equal(alice.replication.holders().length, 2))
})

test.run()
