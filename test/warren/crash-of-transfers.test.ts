/** `kill -9` during long transfers and collections: what is there is whole, and doing it again ends it. */
import assert from 'node:assert/strict'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { suite } from 'uvu'
import type { Warren, WarrenOptions } from '../../src/index.ts'
import { spawnPeer } from '../fixtures/child-process.ts'
import type { PeerProcess } from '../fixtures/child-process.ts'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { requireSound } from './check-version.ts'
import { startWarren } from './fixtures.ts'
import { TreeModel, contentOf, createRandom, describeTree, randomChange } from './tree-model.ts'

const ROUNDS = Number(process.env['WARREN_CRASH_ROUNDS'] ?? 12)
const SEED = Number(process.env['WARREN_CRASH_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

const test = suite(`crash of transfers (seed ${SEED})`)
const module = new URL('./children/warren-peer.ts', import.meta.url)

function spawnWarren(options: WarrenOptions): Promise<PeerProcess> {
  return spawnPeer(module, [JSON.stringify({ listen: [], ...options })])
}

test('killed during an import, what is there is whole, and a second import ends it', async () => {
  await using directory = await createTemporaryDirectory('crash-import')
  const source = directory.join('source')
  const expected = await makeSource(source, 300)
  for (const [round, inPlace] of [false, true, false].entries()) {
    const options = { directory: directory.join(`alice-${round}`) }
    const alice = await spawnWarren(options)
    const importing = alice.call('do', 'import', source, '/imported', { inPlace }).catch(() => {})
    await new Promise(resolve => setTimeout(resolve, 5 + 60 * round))
    await alice.kill()
    await importing
    await requireSound(options.directory)
    await using again = await startWarren({ ...options, listen: [] })
    for (const [path, bytes] of await filesIn(again, '/imported')) {
      assert.deepEqual(bytes, expected.get(path), `${path} is half`)
    }
    await again.import(source, '/imported', { inPlace })
    assert.deepEqual(await filesIn(again, '/imported'), expected)
  }
})

test('killed during an export, a second export ends it', async () => {
  await using directory = await createTemporaryDirectory('crash-export')
  const expected = await makeSource(directory.join('source'), 300)
  const options = { directory: directory.join('alice') }
  {
    await using alice = await startWarren({ ...options, listen: [] })
    await alice.import(directory.join('source'), '/tree')
  }
  const target = directory.join('target')
  for (const pauseMs of [5, 40, 80]) {
    const alice = await spawnWarren(options)
    const exporting = alice.call('do', 'export', '/tree', target).catch(() => {})
    await new Promise(resolve => setTimeout(resolve, pauseMs))
    await alice.kill()
    await exporting
  }
  await requireSound(options.directory)
  await using again = await startWarren({ ...options, listen: [] })
  await again.export('/tree', target)
  for (const [path, bytes] of expected) {
    assert.deepEqual(new Uint8Array(await readFile(target + path)), bytes, path)
  }
  const { skipped, files } = await again.export('/tree', target)
  assert.deepEqual({ skipped, files }, { skipped: expected.size, files: 0 })
})

test('killed during a collection, everything live is there', async () => {
  await using directory = await createTemporaryDirectory('crash-collect')
  const random = createRandom(SEED)
  const options = { directory: directory.path, retentionMs: 0 }
  const model = new TreeModel()
  for (let round = 0; round < Math.min(ROUNDS, 20) / 4; round++) {
    const alice = await spawnWarren(options)
    for (let changes = 0; changes < 60; changes++) {
      const change = randomChange(model, random)
      model.apply(change)
      await alice.call('change', change)
    }
    await alice.call('do', 'sync')
    const collecting = alice.call('do', 'collect').catch(() => {})
    await new Promise(resolve => setTimeout(resolve, random() * 30))
    await alice.kill()
    await collecting
    await requireSound(directory.path)
    await using again = await startWarren({ ...options, listen: [] })
    assert.deepEqual(await describeTree(again.fs), model.describe())
    await again.collect()
    assert.deepEqual(await describeTree(again.fs), model.describe())
  }
})

async function makeSource(path: string, files: number): Promise<Map<string, Uint8Array>> {
  const made = new Map<string, Uint8Array>()
  for (let index = 0; index < files; index++) {
    const directory = `/d${index % 7}`
    const bytes = contentOf({ seed: index, bytes: index % 50 === 0 ? 3_000_000 : 100 * index })
    await mkdir(path + directory, { recursive: true })
    await writeFile(`${path}${directory}/f${index}`, bytes)
    made.set(`${directory}/f${index}`, bytes)
  }
  assert.ok((await stat(path)).isDirectory())
  return made
}

async function filesIn(warren: Warren, root: string): Promise<Map<string, Uint8Array>> {
  const found: [string, Uint8Array][] = []
  const entries = await warren.fs
    .readdir(root, { withFileTypes: true, recursive: true })
    .catch(() => [])
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const path = `${entry.parentPath}/${entry.name}`
    found.push([path.slice(root.length), await warren.fs.readFile(path)])
  }
  return new Map(found.sort(([a], [b]) => Number(a.split('/f')[1]) - Number(b.split('/f')[1])))
}

test.run()
