/**
 * Measures what a block store could be built on: our own segments against lmdb, LevelDB, SQLite and
 * one file per block. The figures stand in docs/decisions/001-block-store-engine.md.
 *
 * lmdb and classic-level are no dependencies of ours; they are looked for in a directory of the
 * caller's: `npm install --prefix /tmp/engines lmdb classic-level`, then
 * `node --conditions=warren-source bench/block-store-engines.ts /tmp/engines [scale]`.
 * Each engine runs in a process of its own, so that its peak memory is its own; `scale` 1 writes
 * 192 MiB of each block size.
 */
import { fork } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openDiskBlockStore } from '../src/blocks/disk/index.ts'
import type { BlockId } from '../src/blocks/block-id.ts'
import { createBlockId, digestOf } from '../src/blocks/block-id.ts'
import type { Block } from '../src/blocks/block.ts'

const BYTES_PER_SIZE = 192 * 1024 * 1024
const BATCH_BYTES = 4 * 1024 * 1024
const READS_AT_ONCE = 16
const ROUNDS = 3
const SIZES = [4096, 65536, 1024 * 1024]

interface Engine {
  put(blocks: readonly Block[]): Promise<void>
  get(id: BlockId): Promise<Uint8Array | undefined>
  delete(ids: readonly BlockId[]): Promise<void>
  sync(): Promise<void>
  /** Whatever the engine offers to give space back. */
  compact(): Promise<void>
  close(): Promise<void>
}

type OpenEngine = (directory: string, modules: string) => Promise<Engine>

const ENGINES: Record<string, OpenEngine> = {
  segments: openSegments,
  lmdb: openLmdb,
  'classic-level': openClassicLevel,
  'node:sqlite': openSqlite,
  'file per block': openFiles
}

async function openSegments(directory: string): Promise<Engine> {
  const store = await openDiskBlockStore(directory, { compactAutomatically: false })
  return {
    put: blocks => store.putMany(blocks),
    get: id => store.get(id),
    delete: ids => store.deleteMany(ids),
    sync: () => store.sync(),
    compact: () => store.compact(),
    close: () => store.close()
  }
}

interface Lmdb {
  open(options: object): LmdbDatabase
}
interface LmdbDatabase {
  put(key: Uint8Array, value: Uint8Array): Promise<boolean>
  get(key: Uint8Array): Uint8Array | undefined
  remove(key: Uint8Array): Promise<boolean>
  readonly flushed: Promise<unknown>
  close(): Promise<void>
}

async function openLmdb(directory: string, modules: string): Promise<Engine> {
  const lmdb = createRequire(join(modules, 'x.js'))('lmdb') as Lmdb
  const database = lmdb.open({
    path: join(directory, 'db'),
    encoding: 'binary',
    keyEncoding: 'binary'
  })
  return {
    put: async blocks => {
      await Promise.all(blocks.map(block => database.put(digestOf(block.id), block.bytes)))
    },
    get: async id => database.get(digestOf(id)),
    delete: async ids => {
      await Promise.all(ids.map(id => database.remove(digestOf(id))))
    },
    sync: async () => void (await database.flushed),
    compact: async () => {},
    close: () => database.close()
  }
}

interface Level {
  open(): Promise<void>
  batch(operations: readonly object[], options?: object): Promise<void>
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  compactRange(start: Uint8Array, end: Uint8Array): Promise<void>
  close(): Promise<void>
}
type LevelClass = new (path: string, options: object) => Level

async function openClassicLevel(directory: string, modules: string): Promise<Engine> {
  const { ClassicLevel } = createRequire(join(modules, 'x.js'))('classic-level') as {
    ClassicLevel: LevelClass
  }
  const options = { keyEncoding: 'view', valueEncoding: 'view', compression: false }
  const database = new ClassicLevel(join(directory, 'db'), options)
  await database.open()
  return {
    put: blocks =>
      database.batch(
        blocks.map(block => ({ type: 'put', key: digestOf(block.id), value: block.bytes }))
      ),
    get: id => database.get(digestOf(id)),
    delete: ids => database.batch(ids.map(id => ({ type: 'del', key: digestOf(id) }))),
    sync: () =>
      database.batch([{ type: 'put', key: new Uint8Array(1), value: new Uint8Array(1) }], {
        sync: true
      }),
    compact: () => database.compactRange(new Uint8Array(1), new Uint8Array(33).fill(255)),
    close: () => database.close()
  }
}

async function openSqlite(directory: string): Promise<Engine> {
  const database = new DatabaseSync(join(directory, 'db'))
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  database.exec('CREATE TABLE blocks (id BLOB PRIMARY KEY, bytes BLOB)')
  const insert = database.prepare('INSERT OR IGNORE INTO blocks VALUES (?, ?)')
  const select = database.prepare('SELECT bytes FROM blocks WHERE id = ?')
  const remove = database.prepare('DELETE FROM blocks WHERE id = ?')
  const inTransaction = (work: () => void): void => {
    database.exec('BEGIN')
    work()
    database.exec('COMMIT')
  }
  return {
    put: async blocks =>
      inTransaction(() => {
        for (const block of blocks) insert.run(digestOf(block.id), block.bytes)
      }),
    get: async id => (select.get(digestOf(id)) as { bytes: Uint8Array } | undefined)?.bytes,
    delete: async ids =>
      inTransaction(() => {
        for (const id of ids) remove.run(digestOf(id))
      }),
    sync: async () => database.exec('PRAGMA wal_checkpoint(TRUNCATE)'),
    compact: async () => database.exec('VACUUM; PRAGMA wal_checkpoint(TRUNCATE)'),
    close: async () => database.close()
  }
}

async function openFiles(directory: string): Promise<Engine> {
  const pathOf = (id: BlockId): string => join(directory, id.slice(-2), id)
  const made = new Set<string>()
  return {
    put: async blocks => {
      for (const { id } of blocks) {
        const parent = join(directory, id.slice(-2))
        if (!made.has(parent)) await mkdir(parent, { recursive: true })
        made.add(parent)
      }
      await atOnce(blocks, READS_AT_ONCE, block => writeFile(pathOf(block.id), block.bytes))
    },
    get: id => readFile(pathOf(id)),
    delete: ids => atOnce(ids, READS_AT_ONCE, id => unlink(pathOf(id))),
    sync: async () => {},
    compact: async () => {},
    close: async () => {}
  }
}

async function atOnce<T>(
  items: readonly T[],
  count: number,
  work: (item: T) => Promise<unknown>
): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length) await work(items[next++]!)
  }
  await Promise.all(Array.from({ length: count }, worker))
}

interface Figures {
  /** Per block size: writes and reads a second, the writes without the sync that follows them. */
  readonly rates: Record<number, { writes: number; reads: number }>
  readonly syncMs: number
  readonly diskMiB: number
  readonly diskAfterDeletesMiB: number
  readonly peakMiB: number
}

/** Random bytes differ by a counter only: making them must not cost what is measured. */
function makeBlocks(bytesEach: number, count: number): Block[] {
  const pool = crypto.getRandomValues(new Uint8Array(65536))
  return Array.from({ length: count }, (_, index) => {
    const bytes = new Uint8Array(bytesEach)
    for (let at = 0; at < bytesEach; at += pool.length) {
      bytes.set(pool.subarray(0, Math.min(pool.length, bytesEach - at)), at)
    }
    new DataView(bytes.buffer).setUint32(0, index)
    const digest = process.getBuiltinModule('node:crypto').hash('sha256', bytes, 'buffer')
    return { id: createBlockId('raw', digest), bytes }
  })
}

async function measure(open: OpenEngine, modules: string, scale: number): Promise<Figures> {
  const directory = await mkdtemp(join(tmpdir(), 'engines-'))
  try {
    const engine = await open(directory, modules)
    const rates: Figures['rates'] = {}
    let syncMs = 0
    const all: BlockId[] = []
    for (const size of SIZES) {
      rates[size] = await measureSize(engine, size, scale, all)
      const from = performance.now()
      await engine.sync()
      syncMs += performance.now() - from
    }
    const diskMiB = await diskUsage(directory)
    await engine.delete(all.filter((_, index) => index % 4 !== 0))
    await engine.sync()
    await engine.compact()
    const diskAfterDeletesMiB = await diskUsage(directory)
    await engine.close()
    const peakMiB = process.resourceUsage().maxRSS / 1024
    return { rates, syncMs, diskMiB, diskAfterDeletesMiB, peakMiB }
  } finally {
    // LevelDB removes files for a while after it has closed.
    await rm(directory, { recursive: true, maxRetries: 10, retryDelay: 100 })
  }
}

async function measureSize(
  engine: Engine,
  size: number,
  scale: number,
  all: BlockId[]
): Promise<{ writes: number; reads: number }> {
  const ids: BlockId[] = []
  const perBatch = BATCH_BYTES / size
  const batches = Math.ceil((BYTES_PER_SIZE * scale) / BATCH_BYTES)
  let writing = 0
  for (let batch = 0; batch < batches; batch++) {
    const blocks = makeBlocks(size, perBatch)
    const from = performance.now()
    await engine.put(blocks)
    writing += performance.now() - from
    for (const { id } of blocks) ids.push(id)
  }
  const shuffled = ids.map(id => ({ id, order: Math.random() })).sort((a, b) => a.order - b.order)
  const reading = performance.now()
  await atOnce(shuffled, READS_AT_ONCE, async ({ id }) => {
    if ((await engine.get(id))?.length !== size) throw new Error(`${id} was not read back`)
  })
  const readingMs = performance.now() - reading
  for (const id of ids) all.push(id)
  return { writes: (ids.length / writing) * 1000, reads: (ids.length / readingMs) * 1000 }
}

async function diskUsage(directory: string): Promise<number> {
  let blocks = 0
  for (const name of await readdir(directory, { recursive: true })) {
    // LevelDB may be removing it just now.
    blocks += (await stat(join(directory, name)).catch(() => undefined))?.blocks ?? 0
  }
  return (blocks * 512) / 1024 / 1024
}

function measureInChild(name: string, modules: string, scale: number): Promise<Figures> {
  return new Promise((resolve, reject) => {
    const child = fork(import.meta.filename, ['--engine', name, modules, String(scale)])
    child.once('message', message => resolve(message as Figures))
    child.once('close', code => reject(new Error(`${name} ended with code ${code}`)))
  })
}

/** The best of several runs, since whatever else the machine does only ever slows one down. */
function best(a: Figures, b: Figures): Figures {
  const rates: Figures['rates'] = {}
  for (const size of SIZES) {
    const [one, other] = [a.rates[size]!, b.rates[size]!]
    const writes = Math.max(one.writes, other.writes)
    rates[size] = { writes, reads: Math.max(one.reads, other.reads) }
  }
  return { ...a, rates, syncMs: Math.min(a.syncMs, b.syncMs) }
}

const columns = [
  'engine',
  '4 KiB puts/s',
  '4 KiB gets/s',
  '64 KiB write / read MiB/s',
  '1 MiB write / read MiB/s',
  'three syncs ms',
  'disk MiB',
  'after deleting 3/4',
  'peak RSS MiB'
]

function row(name: string, figures: Figures): string {
  const { rates, syncMs, diskMiB, diskAfterDeletesMiB, peakMiB } = figures
  const round = (value: number): string => Math.round(value).toLocaleString('en')
  const mib = (size: number, perSecond: number): string => round((perSecond * size) / 1024 / 1024)
  const both = (size: number): string =>
    `${mib(size, rates[size]!.writes)} / ${mib(size, rates[size]!.reads)}`
  const small = rates[4096]!
  const cells = [name, round(small.writes), round(small.reads), both(65536), both(1024 * 1024)]
  cells.push(name === 'file per block' ? '–' : round(syncMs))
  return `| ${[...cells, round(diskMiB), round(diskAfterDeletesMiB), round(peakMiB)].join(' | ')} |`
}

async function main(): Promise<void> {
  const [modules = '.', scale = '1', only] = process.argv.slice(2)
  const results = new Map<string, Figures>()
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of Object.keys(ENGINES)) {
      if (only !== undefined && only !== name) continue
      const figures = await measureInChild(name, modules, Number(scale))
      const before = results.get(name)
      results.set(name, before === undefined ? figures : best(before, figures))
    }
  }
  console.log(`| ${columns.join(' | ')} |\n|${'---|'.repeat(columns.length)}`)
  for (const [name, figures] of results) console.log(row(name, figures))
}

if (process.argv[2] === '--engine') {
  const [name, modules, scale] = process.argv.slice(3) as [string, string, string]
  const figures = await measure(ENGINES[name]!, modules, Number(scale))
  process.send!(figures)
  process.disconnect?.()
} else {
  await main()
}
