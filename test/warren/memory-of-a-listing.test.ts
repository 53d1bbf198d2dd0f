/**
 * Memory is bounded by options, not by how large a file is or how many there are. The processes are
 * given a small heap: in a large one V8 lets garbage lie, and what is measured is its patience.
 */
import assert from 'node:assert/strict'
import { suite } from 'uvu'
import type { WarrenOptions } from '../../src/index.ts'
import { spawnPeer } from '../fixtures/child-process.ts'
import type { PeerProcess } from '../fixtures/child-process.ts'
import { createCraftedVolume, entry, file, startHostilePeer } from '../interop/hostile-peer.ts'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'

const test = suite('memory of a long listing')

const FILES = 100_000

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

test(`a remote directory of ${FILES} files is listed`, async () => {
  await using directory = await createTemporaryDirectory('memory-list')
  const entries = Array.from({ length: FILES }, (_, index) => [
    entry(1, `file ${index}`, 2 + index, 'file'),
    file(2 + index, index % 1000)
  ])
  const volume = await createCraftedVolume(entries.flat())
  await using alice = await startHostilePeer(volume)
  await using bob = await spawnWarren({ directory: directory.join('bob') })
  await bob.call('do', 'mount', '/alice', alice.link(volume.id))
  const listed = await growthOf(bob, async () => {
    const { files, bytes, names } = await bob.call<Record<string, number>>('listMany', '/alice')
    assert.deepEqual({ files, names }, { files: FILES, names: FILES })
    assert.equal(bytes, (FILES / 1000) * 499_500)
  })
  console.log(`${Math.round(listed)} MiB to list`)
  assert.ok(listed < 200, `listing took ${listed} MiB`)
})

test.run()
