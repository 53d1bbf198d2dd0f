/** Holders that do not have what they say, and what is done about it. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { open, readFile, readdir } from 'node:fs/promises'
import { join as joinPath } from 'node:path'
import { createMemoryBlockStore } from '../../src/index.ts'
import type { BlockStore } from '../../src/index.ts'
import { codecOf } from '../../src/blocks/index.ts'
import { noise } from '../blocks/encoding/fixtures.ts'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { eventually } from './fixtures.ts'
import { MIB, TIMES, join, soon, start } from './replication-fixtures.ts'

const test = suite('damage at holders')

/** Has everything, until it is told to lose its data. */
function createForgetful(): BlockStore & { forget(): Promise<void> } {
  const store = createMemoryBlockStore()
  return Object.assign(Object.create(store) as BlockStore, {
    get: store.get.bind(store),
    has: store.has.bind(store),
    putMany: store.putMany.bind(store),
    deleteMany: store.deleteMany.bind(store),
    ids: store.ids.bind(store),
    sync: store.sync.bind(store),
    usage: store.usage.bind(store),
    close: store.close.bind(store),
    async forget() {
      for await (const id of store.ids()) if (codecOf(id) === 'raw') await store.deleteMany([id])
    }
  })
}

test('audits find a holder that lost its data, and its copies are not counted any more', async () => {
  const replication = { ...TIMES, auditMs: 50 }
  const blockStore = createForgetful()
  await using alice = await start({ replication })
  await using bob = await start({ blockStore, replication: { ...TIMES, scrubBytesPerSecond: 0 } })
  await join(alice, bob)
  await alice.replication.set('/', { replicas: 2 })
  const corrupt: [string, number][] = []
  alice.replication.events.addEventListener('corrupt-found', ({ detail }) => {
    corrupt.push([detail.peer, detail.blocks])
  })
  await alice.fs.writeFile('/photo', noise(4 * MIB))
  await alice.replication.durable('/', soon())
  await new Promise(resolve => setTimeout(resolve, 500))
  assert.deepEqual(corrupt, [])

  await blockStore.forget()
  await eventually(() => assert.equal(corrupt[0]?.[0], bob.id))
  assert.ok(corrupt[0]![1] > 0)
  const [distrusted] = alice.replication.holders().filter(({ peer }) => peer === bob.id)
  assert.equal(distrusted!.distrusted, true)
  const { folders } = await alice.replication.status()
  assert.equal(folders[0]!.copies[1]!.bytes, 4 * MIB)
  assert.equal(folders[0]!.endangered.files, 1)
})

test('what is read at a holder and is damaged is told, and got again', async () => {
  await using place = await createTemporaryDirectory('damage')
  const replication = { ...TIMES, auditMs: 0, scrubBytesPerSecond: 0 }
  await using alice = await start({ replication })
  await using bob = await start({ directory: place.path, replication })
  await join(alice, bob)
  await alice.replication.set('/', { replicas: 2 })
  const photo = noise(4 * MIB)
  await alice.fs.writeFile('/photo', photo)
  await alice.replication.durable('/', soon())
  const corrupt: unknown[] = []
  bob.replication.events.addEventListener('corrupt-found', ({ detail }) => {
    corrupt.push([detail.volume, detail.peer, detail.blocks > 0])
  })
  await bob.mount('/alice', await alice.share('/'))
  await turnOver(place.join('blocks/segments'))

  assert.deepEqual(new Uint8Array(await bob.fs.readFile('/alice/photo')), photo)
  await eventually(() => assert.deepEqual(corrupt, [[alice.volume, bob.id, true]]))
  await eventually(() => assert.equal(bob.replication.held()[0]!.progress, 'current'))
  // What is there now is what it should be: nobody else is there to be asked.
  await alice.stop()
  assert.deepEqual(new Uint8Array(await bob.fs.readFile('/alice/photo')), photo)
  assert.equal(corrupt.length, 1)
})

/** A byte every 100 kB is another one. */
async function turnOver(segments: string): Promise<void> {
  for (const name of (await readdir(segments)).filter(one => one.endsWith('.segment'))) {
    await using file = await open(joinPath(segments, name), 'r+')
    const { size } = await file.stat()
    for (let at = 50_000; at < size; at += 100_000) {
      const { buffer } = await file.read(new Uint8Array(1), 0, 1, at)
      await file.write(Uint8Array.of(buffer[0]! ^ 0xff), 0, 1, at)
    }
  }
}

test('a holder whose disk lost a block finds it when it is asked for it, and gets it again', async () => {
  await using directory = await createTemporaryDirectory('holder')
  const replication = { ...TIMES, auditMs: 200 }
  await using alice = await start({ replication })
  await using bob = await start({ directory: directory.path, replication: TIMES })
  await join(alice, bob)
  await alice.replication.set('/', { replicas: 2 })
  const content = noise(MIB)
  await alice.fs.writeFile('/photo', content)
  await alice.replication.durable('/', soon())
  const events: string[] = []
  for (const name of ['corrupt-found', 'repaired'] as const) {
    bob.replication.events.addEventListener(name, ({ detail }) => {
      events.push(`${name} ${detail.blocks}`)
    })
  }
  await flip(directory.join('blocks', 'segments'), content.subarray(0, 64))
  // Each audit reads some of the eight blocks.
  await eventually(() => assert.deepEqual(events, ['corrupt-found 1', 'repaired 1']))
  const isDistrusted = (): boolean => alice.replication.holders().some(holder => holder.distrusted)
  assert.equal(isDistrusted(), false)
  await new Promise(resolve => setTimeout(resolve, 1000))
  assert.equal(isDistrusted(), false)
})

/** Changes a byte of what stands in one of the files of a directory. */
async function flip(directory: string, content: Uint8Array): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = joinPath(directory, name)
    const at = (await readFile(path)).indexOf(content)
    if (at < 0) continue
    const file = await open(path, 'r+')
    await file.write(Uint8Array.of(content[0]! ^ 1), 0, 1, at)
    await file.close()
    return
  }
  throw new Error('it is nowhere')
}

test.run()
