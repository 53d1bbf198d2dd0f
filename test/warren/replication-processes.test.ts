/** An owner and three holders, each a process of its own that is killed, wiped and started again. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { readFile, readdir, rm } from 'node:fs/promises'
import type { HolderStatus, PeerId, ReplicationStatus, VolumeId } from '../../src/index.ts'
import { formatLink } from '../../src/namespace/index.ts'
import { spawnPeer } from '../fixtures/child-process.ts'
import type { PeerProcess } from '../fixtures/child-process.ts'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { eventually } from './fixtures.ts'
import { MIB, TIMES, soon } from './replication-fixtures.ts'

const test = suite('replication between processes')

const module = new URL('./children/warren-peer.ts', import.meta.url)
const MEBIBYTES = 8
const WHOLE = { bytes: MEBIBYTES * MIB, isRight: true }

interface Identity {
  readonly id: PeerId
  readonly volume: VolumeId
  readonly addresses: readonly string[]
}

/** Peers by name; a name keeps its directory, whatever becomes of its processes. */
class Peers implements AsyncDisposable {
  readonly #path: (...names: readonly string[]) => string
  readonly #processes = new Map<string, PeerProcess>()

  constructor(path: (...names: readonly string[]) => string) {
    this.#path = path
  }

  async start(name: string): Promise<PeerProcess> {
    const options = { directory: this.#path(name), replication: TIMES }
    const process = await spawnPeer(module, [JSON.stringify(options)], { callMsMax: 60_000 })
    this.#processes.set(name, process)
    return process
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#processes.values()].map(process => process.stop()))
  }
}

async function joinOf(owner: PeerProcess, holder: PeerProcess): Promise<void> {
  await holder.call('replication', 'pledge', { bytes: 100 * MIB })
  await holder.call('replication', 'accept', await owner.call('replication', 'invite'))
}

async function presences(owner: PeerProcess): Promise<Map<PeerId, string>> {
  const holders = await owner.call<HolderStatus[]>('replication', 'holders')
  return new Map(holders.map(({ peer, presence }) => [peer, presence]))
}

test('nothing is lost and the factor comes back, whoever is killed or wiped', async () => {
  await using directory = await createTemporaryDirectory('replication-processes')
  await using peers = new Peers((...names) => directory.join(...names))
  const names = ['alice', 'bob', 'carol', 'dave', 'reader'] as const
  const [alice, bob, carol, dave, reader] = await Promise.all(names.map(name => peers.start(name)))
  for (const holder of [bob!, carol!, dave!]) await joinOf(alice!, holder)
  await alice!.call('replication', 'set', '/', { replicas: 3 })
  await alice!.call('writeLarge', '/film', MEBIBYTES)
  await alice!.call('replication', 'durable', '/', { copies: 3, ...soon() })
  const owner = await alice!.call<Identity>('identity')
  await alice!.call('do', 'share', '/')
  const link = formatLink({ volume: owner.volume, path: '/', peers: [owner] })
  await reader!.call('do', 'mount', '/film', link)
  assert.deepEqual(await reader!.call('readLarge', '/film/film'), WHOLE)

  // One dies: the others have three copies again, without it.
  const { id: bobId } = await bob!.call<Identity>('identity')
  await bob!.kill()
  await eventually(async () => assert.equal((await presences(alice!)).get(bobId), 'gone'), 20_000)
  await alice!.call('replication', 'durable', '/', { copies: 3, ...soon() })
  const without = await alice!.call<ReplicationStatus>('replication', 'status')
  assert.deepEqual(without.folders[0]!.endangered, { files: 0, bytes: 0 })

  // It is back, and then the owner dies and its blocks are gone.
  const bobAgain = await peers.start('bob')
  await eventually(
    async () => assert.equal((await presences(alice!)).get(bobId), 'present'),
    20_000
  )
  await alice!.kill()
  await rm(directory.join('alice', 'blocks'), { recursive: true })
  const aliceAgain = await peers.start('alice')
  assert.deepEqual(await aliceAgain.call('readLarge', '/film'), WHOLE)
  await aliceAgain.call('fs', 'writeFile', '/note', 'still here')
  await aliceAgain.call('do', 'sync')
  await aliceAgain.call('replication', 'durable', '/', { copies: 3, ...soon() })

  // A holder is wiped, the owner dies for good, and a reader that knew only the owner is new.
  await carol!.kill()
  await rm(directory.join('carol'), { recursive: true })
  await eventually(async () => {
    const list = await readdir(directory.join('reader', 'holders'))
    assert.ok(list.includes(`${owner.volume}.holders`))
    const book = await readFile(directory.join('reader', 'addresses.json'), 'utf8')
    assert.ok(book.includes(bobId))
  }, 20_000)
  await reader!.kill()
  await rm(directory.join('reader', 'blocks'), { recursive: true })
  await aliceAgain.kill()
  const readerAgain = await peers.start('reader')
  assert.deepEqual(await readerAgain.call('readLarge', '/film/film'), WHOLE)
  assert.equal(await readerAgain.call('fs', 'readFile', '/film/note', 'utf8'), 'still here')
  assert.ok((await bobAgain.call<unknown[]>('replication', 'held')).length === 1)
  assert.ok((await dave!.call<unknown[]>('replication', 'held')).length === 1)
})

test.run()
