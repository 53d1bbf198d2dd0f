/** Addresses of holders survive a restart, and nothing that is wrong with them keeps anybody from starting. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import type { KnownPeer, PeerId } from '../../../src/peer/index.ts'
import {
  KEPT_ADDRESSES_MAX,
  KEPT_PEERS_MAX,
  createMemoryAddressStore,
  readAddressBook
} from '../../../src/replication/addresses/address-store.ts'
import type { AddressBook } from '../../../src/replication/addresses/address-store.ts'
import {
  KeptAddresses,
  SAVE_DELAY_MS,
  SAVE_PAUSE_MS
} from '../../../src/replication/addresses/kept-addresses.ts'
import { openDiskAddressStore } from '../../../src/replication/disk/index.ts'
import { createMemoryHolderListStore } from '../../../src/replication/index.ts'
import { createTemporaryDirectory } from '../../fixtures/temporary-directory.ts'
import { createManualClock } from '../../peer/manual-clock.ts'
import { createListOwner, holderFor, peerFor } from '../fixtures.ts'

const test = suite('kept addresses')

const self = peerFor(1)
const owner = await createListOwner()

/** A peer that knows what it is told. */
function rememberer() {
  const addresses = new Map<PeerId, string[]>()
  return {
    id: self,
    events: new EventTarget() as never,
    known: (): KnownPeer[] =>
      [...addresses].map(([id, all]) => ({ id, addresses: all, connected: false, local: false })),
    remember: async (id: PeerId, more: readonly string[]) => {
      if (more.some(address => !address.startsWith('/'))) throw new Error('not an address')
      addresses.set(id, [...(addresses.get(id) ?? []), ...more])
    }
  }
}

async function listsOf(...holders: readonly number[]) {
  const lists = createMemoryHolderListStore()
  await lists.put(await owner.sign({ holders: holders.map(n => holderFor(n)) }))
  return lists
}

test('what is known of holders is kept, and of nobody else', async () => {
  const [clock, peer] = [createManualClock(), rememberer()]
  let saves = 0
  const memory = createMemoryAddressStore()
  const store = {
    ...memory,
    save: async (book: AddressBook) => {
      saves++
      await memory.save(book)
    }
  }
  const lists = await listsOf(1, 2, 3, 4)
  const kept = await KeptAddresses.open({ peer, clock, store, lists })
  kept.start()
  await peer.remember(self, ['/ip4/127.0.0.1/tcp/1'])
  await peer.remember(peerFor(2), ['/ip4/127.0.0.1/tcp/3', '/ip4/127.0.0.1/tcp/2'])
  await peer.remember(peerFor(9), ['/ip4/127.0.0.1/tcp/9'])
  await peer.remember(
    peerFor(3),
    Array.from({ length: KEPT_ADDRESSES_MAX + 1 }, (_, port) => `/ip4/127.0.0.1/tcp/${port + 1}`)
  )
  kept.expect()
  kept.expect()
  await clock.advance(SAVE_DELAY_MS)
  await settled()
  const { peers } = await store.load()
  const byPeer = new Map(peers.map(record => [record.peer, record.addresses]))
  assert.deepEqual([...byPeer.keys()].sort(), [peerFor(2), peerFor(3)].sort())
  assert.deepEqual(byPeer.get(peerFor(2)), ['/ip4/127.0.0.1/tcp/2', '/ip4/127.0.0.1/tcp/3'])
  // The one that was heard of first is the one that is left out.
  assert.equal(byPeer.get(peerFor(3))!.length, KEPT_ADDRESSES_MAX)
  assert.ok(!byPeer.get(peerFor(3))!.includes('/ip4/127.0.0.1/tcp/1'))

  await clock.advance(SAVE_PAUSE_MS)
  await settled()
  assert.equal(saves, 1)
  await peer.remember(peerFor(4), ['/ip4/127.0.0.1/tcp/4'])
  await clock.advance(SAVE_PAUSE_MS)
  await settled()
  assert.equal(saves, 2)
  await kept.stop()
  assert.equal(saves, 2)

  const again = rememberer()
  await KeptAddresses.open({ peer: again, clock, store, lists })
  assert.deepEqual(
    again.known().map(({ id }) => id),
    (await store.load()).peers.map(record => record.peer)
  )
})

function settled(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 20))
}

test('what cannot be saved is tried again', async () => {
  const [clock, peer] = [createManualClock(), rememberer()]
  const memory = createMemoryAddressStore()
  let isFull = true
  const save = async (book: AddressBook): Promise<void> => {
    if (isFull) throw new Error('full')
    await memory.save(book)
  }
  const kept = await KeptAddresses.open({
    peer,
    clock,
    store: { ...memory, save },
    lists: await listsOf(2)
  })
  await peer.remember(peerFor(2), ['/ip4/127.0.0.1/tcp/2'])
  kept.start()
  await clock.advance(SAVE_PAUSE_MS)
  await settled()
  isFull = false
  await kept.stop()
  assert.equal((await memory.load()).peers.length, 1)
})

test('on disk, and whatever is there it starts', async () => {
  await using directory = await createTemporaryDirectory('addresses')
  const store = openDiskAddressStore(directory.path)
  const lists = await listsOf(2)
  const clock = createManualClock()
  assert.deepEqual(await store.load(), { peers: [] })
  const book = { peers: [{ peer: peerFor(2), addresses: ['/ip4/127.0.0.1/tcp/2', 'nonsense'] }] }
  await store.save(book)
  assert.deepEqual(await openDiskAddressStore(directory.path).load(), book)
  const peer = rememberer()
  await KeptAddresses.open({ peer, clock, store, lists })
  assert.deepEqual(peer.known()[0]!.addresses, ['/ip4/127.0.0.1/tcp/2'])

  for (const text of ['', '{', 'null', '{"format":2,"peers":[]}', '{"format":1,"peers":[{}]}']) {
    await writeFile(directory.join('addresses.json'), text)
    await assert.rejects(store.load(), { code: 'EIO', path: directory.join('addresses.json') })
    const fresh = rememberer()
    await KeptAddresses.open({ peer: fresh, clock, store, lists })
    assert.deepEqual(fresh.known(), [])
  }
})

test('a book that is none is refused', () => {
  const peer = peerFor(2)
  const wrong: unknown[] = [
    {},
    { peers: {} },
    { peers: [null] },
    { peers: [{ peer: 'nobody', addresses: [] }] },
    { peers: [{ peer, addresses: 'x' }] },
    { peers: [{ peer, addresses: [1] }] },
    { peers: [{ peer, addresses: Array.from({ length: KEPT_ADDRESSES_MAX + 1 }, () => '/') }] },
    { peers: Array.from({ length: KEPT_PEERS_MAX + 1 }, () => ({ peer, addresses: [] })) }
  ]
  for (const value of wrong)
    assert.throws(() => readAddressBook(value), JSON.stringify(value).slice(0, 80))
})

test.run()
