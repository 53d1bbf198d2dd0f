/**
 * Memory is bounded by options, not by how large a file is or how many there are. The processes are
 * given a small heap: in a large one V8 lets garbage lie, and what is measured is its patience.
 */
import assert from 'node:assert/strict'
import { suite } from 'uvu'
import type { WarrenOptions } from '../../src/index.ts'
import { spawnPeer } from '../fixtures/child-process.ts'
import type { PeerProcess } from '../fixtures/child-process.ts'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'

const test = suite('memory of a large file')

const FILE_MIB = 512

function spawnWarren(options: WarrenOptions): Promise<PeerProcess> {
  const module = new URL('./children/warren-peer.ts', import.meta.url)
  return spawnPeer(module, [JSON.stringify(options)], {
    callMsMax: 100_000,
    flags: ['--max-old-space-size=128']
  })
}

/** The most that a process came to occupy beyond what it did before. */
async function growthOf(peer: PeerProcess, work: () => Promise<void>): Promise<number> {
  const before = await peer.call<number>('rssMiB')
  await work()
  return (await peer.call<number>('peakRssMiB')) - before
}

test(`a remote file of ${FILE_MIB} MiB is read`, async () => {
  await using directory = await createTemporaryDirectory('memory')
  await using alice = await spawnWarren({ directory: directory.join('alice') })
  await using bob = await spawnWarren({ directory: directory.join('bob') })
  const written = await growthOf(alice, () => alice.call('writeLarge', '/large.bin', FILE_MIB))
  await bob.call('do', 'mount', '/alice', await alice.call('do', 'share', '/'))
  const read = await growthOf(bob, async () => {
    const result = await bob.call('readLarge', '/alice/large.bin')
    assert.deepEqual(result, { bytes: FILE_MIB * 2 ** 20, isRight: true })
  })
  console.log(`${Math.round(written)} MiB to write, ${Math.round(read)} MiB to read`)
  assert.ok(written < 200, `writing took ${written} MiB`)
  assert.ok(read < 150, `reading took ${read} MiB`)
})

test.run()
