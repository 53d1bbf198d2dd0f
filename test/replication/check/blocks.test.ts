/** Blocks and nodes that are lost or damaged are told by path, and come back from those who have them. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import {
  Sealing,
  createCollectableBlockStore,
  createReadKey,
  readNodeLinks
} from '../../../src/blocks/index.ts'
import type { BlockId } from '../../../src/blocks/index.ts'
import { ROOT_INODE } from '../../../src/namespace/index.ts'
import type { Inode, InodeNumber } from '../../../src/namespace/index.ts'
import { entryKey } from '../../../src/namespace/volume/keys.ts'
import {
  FAILURES_MAX,
  PROBLEMS_MAX,
  PROBLEMS_PER_FILE
} from '../../../src/replication/check/check-limits.ts'
import type { CheckProgress, PlacedBlock } from '../../../src/replication/index.ts'
import { BLOCK_BYTES, CheckedVolume, ROOT, summary } from './check-fixtures.ts'

const test = suite<{ checked: CheckedVolume; directory: Inode; file: Inode; ids: BlockId[] }>(
  'check of blocks'
)

test.before.each(async context => {
  const checked = await CheckedVolume.create()
  const directory = await checked.directory(ROOT, 'd')
  const file = await checked.large(directory.number, 'f', 3)
  Object.assign(context, { checked, directory, file, ids: await checked.blocksOf(file.number) })
  await checked.volume.sync()
})
test.after.each(({ checked }) => checked.volume.close())

test('a damaged and a missing block are told, and mended from elsewhere', async context => {
  const { checked, ids } = context
  await checked.copy()
  checked.store.broken.add(ids[0]!)
  await checked.store.deleteMany([ids[2]!])
  const told = await checked.check()
  assert.deepEqual(summary(told), ['block-damaged /d/f', 'block-missing /d/f'])
  assert.deepEqual(
    told.problems.map(({ block }) => block),
    [ids[0], ids[2]]
  )
  assert.equal(checked.asked, 0, 'nothing is fetched when nothing is to be repaired')
  assert.deepEqual(summary(await checked.check({ blocks: false })), ['block-missing /d/f'])
  const mended = await checked.check({ repair: true })
  assert.deepEqual(summary(mended), ['block-damaged /d/f repaired', 'block-missing /d/f repaired'])
  assert.deepEqual(summary(await checked.check()), [])
  assert.ok((await checked.store.get(ids[0]!)) !== undefined)
})

test('what nobody has is told and its name stays; it may come back', async context => {
  const { checked, directory, ids } = context
  await checked.store.deleteMany(ids)
  const report = await checked.check({ repair: true })
  assert.deepEqual(
    summary(report),
    ids.map(() => 'block-missing /d/f')
  )
  assert.deepEqual(await checked.names(directory.number), ['f'])
})

test('what cannot be kept is not called repaired', async ({ checked, ids }) => {
  await checked.copy()
  checked.store.broken.add(ids[1]!)
  checked.store.putMany = async () => {}
  const report = await checked.check({ repair: true })
  assert.deepEqual(summary(report), ['block-damaged /d/f'])
})

test('bytes that are not those of the block are refused', async ({ checked, ids }) => {
  checked.store.broken.add(ids[1]!)
  const reader = { get: async () => new Uint8Array(BLOCK_BYTES) }
  const report = await checked.check({ repair: true }, { reader })
  assert.deepEqual(summary(report), ['block-damaged /d/f'])
})

/** Enough that the tree has many leaves. */
async function fill(checked: CheckedVolume, directory: InodeNumber): Promise<void> {
  const inline = new TextEncoder().encode('x'.repeat(600))
  await checked.volume.update(async t => {
    for (let index = 0; index < 1500; index++) {
      const name = `file ${String(index).padStart(5, '0')}`
      await t.create(directory, name, { type: 'file', mode: 0o644, inline })
    }
  })
  await checked.volume.sync()
}

async function leavesOf(checked: CheckedVolume): Promise<BlockId[]> {
  const root = checked.volume.head!.root
  return readNodeLinks((await checked.store.get(root))!)
}

test('nodes come back from elsewhere', async ({ checked, directory }) => {
  await fill(checked, directory.number)
  await checked.copy()
  const leaves = await leavesOf(checked)
  assert.ok(leaves.length > 10)
  await checked.store.deleteMany(leaves.slice(3, 6))
  checked.store.broken.add(leaves[0]!)
  checked.store.broken.add(checked.volume.head!.root)
  const mended = await checked.check({ repair: true })
  assert.deepEqual(mended.byKind, { 'node-missing': 5 })
  assert.deepEqual([mended.repaired, mended.complete], [5, true])
  assert.deepEqual(summary(await checked.check()), [])
})

test('a lost leaf of attributes: its files are told, nothing is taken for an orphan', async context => {
  const { checked, directory } = context
  await fill(checked, directory.number)
  const lost: BlockId[] = []
  for (const id of await leavesOf(checked)) {
    const bytes = (await checked.store.get(id))!
    await checked.store.deleteMany([id])
    const { byKind } = await checked.check({ blocks: false })
    if ((byKind['inode-lost'] ?? 0) > 100) lost.push(id)
    else await checked.store.putMany([{ id, bytes }])
    if (lost.length > 0) break
  }
  assert.equal(lost.length, 1)
  const report = await checked.check({ repair: true })
  assert.equal(report.complete, false)
  const kinds = Object.keys(report.byKind).filter(kind => kind !== 'content-lost')
  assert.deepEqual(kinds.toSorted(), ['inode-lost', 'node-missing'])
  assert.match(report.problems.find(({ kind }) => kind === 'inode-lost')!.path!, /^\/d\/file \d+$/)
  assert.equal(report.repaired, 0)
})

test('a lost leaf of content: the files of which bytes are gone are told', async context => {
  const { checked, directory } = context
  await fill(checked, directory.number)
  const leaves = await leavesOf(checked)
  await checked.store.deleteMany(leaves.slice(-3, -2))
  const report = await checked.check({ repair: true })
  assert.deepEqual(Object.keys(report.byKind).sort(), ['content-lost', 'node-missing'])
  assert.equal(report.complete, true)
  const lost = report.problems.filter(({ kind }) => kind === 'content-lost')
  assert.ok(lost.length > 50 && lost.length < 200, `${lost.length} files`)
  assert.match(lost[0]!.path!, /^\/d\/file \d+$/)
})

test('without the root there is one thing to tell', async ({ checked }) => {
  await checked.store.deleteMany([checked.volume.head!.root])
  const report = await checked.check({ repair: true })
  assert.deepEqual([summary(report), report.complete], [['node-missing ?'], false])
})

test('a sealed volume is checked by its key', async () => {
  const encoding = new Sealing(createReadKey())
  const checked = await CheckedVolume.create(encoding)
  const file = await checked.large(ROOT, 'secret', 3)
  await checked.copy()
  const check = { encoding }
  assert.deepEqual(summary(await checked.check({}, check)), [])
  const [first] = await checked.blocksOf(file.number)
  checked.store.broken.add(first!)
  checked.store.broken.add(checked.volume.head!.root)
  assert.deepEqual(summary(await checked.check({ repair: true }, check)), [
    'node-missing ? repaired',
    'block-damaged /secret repaired'
  ])
  assert.deepEqual(summary(await checked.check({}, check)), [])
  assert.deepEqual(summary(await checked.check({}, { encoding: new Sealing(createReadKey()) })), [
    'node-malformed ?'
  ])
  await checked.volume.close()
})

test('the list is bounded, the count is not', async ({ checked, directory }) => {
  const count = PROBLEMS_MAX + 1
  await checked.volume.update(async t => {
    for (let index = 0; index < count; index++) {
      await t.create(directory.number, `${index}`, { type: 'file', mode: 0o644 })
    }
  })
  await checked.volume.sync()
  const changes = Array.from({ length: count }, (_, index) => {
    return { key: entryKey(directory.number, `${index}`), value: undefined }
  })
  const last = await checked.large(directory.number, 'large', PROBLEMS_PER_FILE + 1)
  await checked.store.deleteMany(await checked.blocksOf(last.number))
  await checked.write(...changes)
  const report = await checked.check()
  assert.deepEqual(
    [report.problems.length, report.found],
    [PROBLEMS_MAX, count + PROBLEMS_PER_FILE + 1]
  )
  assert.deepEqual(report.byKind, { 'block-missing': PROBLEMS_PER_FILE + 1, 'inode-orphan': count })
  const listed = report.problems.filter(({ kind }) => kind === 'block-missing')
  assert.equal(listed.length, PROBLEMS_PER_FILE)
  const mended = await checked.check({ repair: true })
  assert.equal(mended.repaired, count, 'also those that are not listed')
})

test('where nobody answers, no more is asked for', async ({ checked, directory }) => {
  const file = await checked.large(directory.number, 'large', 2 * FAILURES_MAX)
  await checked.volume.sync()
  await checked.store.deleteMany(await checked.blocksOf(file.number))
  const report = await checked.check({ repair: true })
  assert.equal(report.found, 2 * FAILURES_MAX)
  assert.ok(checked.asked >= FAILURES_MAX && checked.asked <= FAILURES_MAX + 16, `${checked.asked}`)
})

test('collection leaves alone what is being checked, and writers go on', async context => {
  const { checked, directory, ids } = context
  await fill(checked, directory.number)
  const store = createCollectableBlockStore(checked.store)
  const { volume } = checked
  const get = checked.store.get.bind(checked.store)
  let reads = 0
  checked.store.get = async id => {
    if (++reads === 3) {
      await volume.update(async t => {
        await t.unlink(directory.number, 'f')
        await t.create(ROOT_INODE, 'new', { type: 'file', mode: 0o644 })
      })
      await volume.sync()
      const live = async (): Promise<BlockId[]> => {
        const { current, superseded } = await volume.roots()
        return [...current, ...superseded]
      }
      await store.collect({ live, inFlight: () => volume.inFlight() })
      assert.ok((await get(ids[0]!)) !== undefined)
    }
    return get(id)
  }
  const report = await checked.check()
  assert.deepEqual(summary(report), [])
  assert.equal(report.counts.files, 1501)
  checked.store.get = get
  const again = await checked.check()
  assert.deepEqual([summary(again), again.counts.files], [[], 1501])
  assert.equal(again.counts.extents, 0)
})

test('copies are counted by whoever knows', async ({ checked, directory, file, ids }) => {
  const asked: PlacedBlock[] = []
  const report = await checked.check(
    {},
    {
      copiesOf: async blocks => {
        asked.push(...blocks)
        return blocks.map(({ id }) => {
          if (id === ids[2]) return undefined
          const copies = id === ids[0] ? 1 : id === ids[1] ? 4 : 3
          return { copies, wantedMin: 2, wantedMax: 3 }
        })
      }
    }
  )
  assert.deepEqual(
    report.problems.map(({ kind, path, block, detail }) => [kind, path, block, detail]),
    [
      ['copies-few', '/d/f', ids[0], '1 of 2'],
      ['copies-many', '/d/f', ids[1], '4 of 3']
    ]
  )
  assert.deepEqual(asked.filter(({ inode }) => inode === file.number).length, 3)
  assert.deepEqual([...asked.at(-1)!.directories()], [directory.number, ROOT])
  assert.deepEqual([asked[0]!.inode, [...asked[0]!.directories()]], [undefined, []])
})

test('says how far it is, ten times a second at most', async ({ checked, directory }) => {
  await fill(checked, directory.number)
  const told: CheckProgress[] = []
  let now = 0
  await checked.check(
    { onProgress: progress => told.push(progress) },
    { clock: { now: () => (now += 60) } }
  )
  assert.ok(told.length > 2)
  assert.ok(told.every(({ nodes }, index) => index === 0 || nodes >= told[index - 1]!.nodes + 2))
})

test('a signal ends it', async ({ checked, directory }) => {
  await fill(checked, directory.number)
  const ending = new AbortController()
  const onProgress = (): void => ending.abort(new Error('enough'))
  await assert.rejects(checked.check({ signal: ending.signal, onProgress }), /enough/)
})

test.run()
