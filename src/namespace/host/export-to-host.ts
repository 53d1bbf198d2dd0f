/**
 * Writes a directory or file of a volume out to the host.
 *
 * One snapshot is walked in batches. What looks finished on the host (size, modification time) is
 * skipped, so a second run goes on where the first one ended. The contents of a batch's small
 * files are fetched in one pass of the tree, several batches ahead of the writing.
 */
import { mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Sealing, readAhead } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import type { ExportOptions, TransferPlace, TransferReport } from '../transfer.ts'
import type { Inode, Snapshot } from '../volume/volume.ts'
import { ExportBatch } from './export-batch.ts'
import type { ExportContext } from './export-context.ts'
import { ExportDirectory } from './export-directory.ts'
import type { ImportComponents } from './import-volume.ts'
import { Slices } from './slices.ts'
import { TransferLog } from './transfer-log.ts'
import { walkSnapshot } from './walk-snapshot.ts'
import type { VolumeItem } from './walk-snapshot.ts'

const BATCH_ITEMS = 512
const BATCH_BYTES = 2 * 1024 * 1024

/** Batches being fetched while one is written: covers a round trip at full speed on a fast link. */
const BATCHES_AHEAD = 3

/** Throws what the host throws for the top, `ENOSPC`, `ENOENT`, `EHOSTUNREACH`, and `EPROTO` for a volume that makes no sense. */
export async function exportToHost(
  { references }: Pick<ImportComponents, 'references'>,
  from: TransferPlace,
  hostPath: string,
  options: ExportOptions
): Promise<TransferReport> {
  const stop = new AbortController()
  const signal =
    options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal])
  try {
    const snapshot = await from.volume.snapshot({ signal })
    const log = new TransferLog(options)
    const { readKey } = from.volume
    const context: ExportContext = {
      snapshot,
      encoding: readKey === undefined ? undefined : new Sealing(readKey),
      verify: options.verify,
      signal,
      slices: new Slices(),
      log,
      links: new Map(),
      // The blocks of a volume of our own are in the store already, and those of a sealed one are
      // not what the files hold.
      references: from.volume.writable || readKey !== undefined ? undefined : references
    }
    const inode = await topOf(snapshot, from)
    const isCounted = options.onProgress !== undefined
    if (inode.type === 'directory') await exportDirectory(context, { inode, hostPath, isCounted })
    else await exportOne(context, inode, hostPath)
    return log.report()
  } finally {
    // Ends what is being fetched ahead or counted when the export fails.
    stop.abort()
  }
}

async function topOf(snapshot: Snapshot, { directory, name }: TransferPlace): Promise<Inode> {
  const entry = name === undefined ? undefined : await snapshot.lookup(directory, name)
  const number = name === undefined ? directory : entry?.inode
  const inode = number === undefined ? undefined : await snapshot.inode(number)
  if (inode === undefined) throw new WarrenError('ENOENT', { syscall: 'export', path: name ?? '/' })
  return inode
}

async function exportDirectory(
  context: ExportContext,
  what: { readonly inode: Inode; readonly hostPath: string; readonly isCounted: boolean }
): Promise<void> {
  const hostPath = resolve(what.hostPath)
  const made = mkdirSync(hostPath, { recursive: true }) !== undefined
  // The mode of a directory that was there is its owner's business.
  const inode = made ? what.inode : { ...what.inode, mode: statSync(hostPath).mode }
  const top = new ExportDirectory({ path: '', hostPath, depth: 0 }, inode)
  top.wasThere = !made
  if (what.isCounted) void countTotals(context, top)
  const { snapshot, signal } = context
  const found = batches(context, walkSnapshot(snapshot, top, { signal }))
  const load = async (batch: ExportBatch): Promise<ExportBatch> => {
    await batch.load()
    return batch
  }
  const ahead = { readsMax: BATCHES_AHEAD, signal }
  for await (const batch of readAhead(found, load, ahead)) await batch.write()
}

/** What is exported by itself fails as a whole. */
async function exportOne(context: ExportContext, inode: Inode, hostPath: string): Promise<void> {
  const path = resolve(hostPath)
  mkdirSync(dirname(path), { recursive: true })
  const { log } = context
  log.filesTotal = 1
  log.bytesTotal = inode.size
  const place = { path: '', hostPath: dirname(path), depth: 0 }
  const directory = new ExportDirectory(place, inode)
  const entry = { name: '', inode: inode.number, type: inode.type, attributes: inode }
  const batch = new ExportBatch(context)
  batch.add({ kind: 'entry', directory, entry, made: undefined, hostPath: path })
  await batch.load()
  await batch.write()
  const [failure] = log.failures
  if (failure !== undefined) throw failure.error
}

/** Totals for a progress bar, counted beside the transfer. */
async function countTotals(context: ExportContext, top: ExportDirectory): Promise<void> {
  const { snapshot, signal, log } = context
  const slices = new Slices()
  let files = 0
  let bytes = 0
  try {
    for await (const items of walkSnapshot(snapshot, top, { signal })) {
      for (const item of items) {
        if (item.kind === 'end' || item.entry.type !== 'file') continue
        files++
        bytes += item.entry.attributes.size
      }
      await slices.share()
    }
    log.filesTotal = files
    log.bytesTotal = bytes
  } catch {
    // The transfer itself meets the same failure and tells it.
  }
}

async function* batches(
  context: ExportContext,
  found: AsyncIterable<readonly VolumeItem[]>
): AsyncGenerator<ExportBatch> {
  let batch = new ExportBatch(context)
  for await (const items of found) {
    for (const item of items) {
      batch.add(item)
      if (batch.items < BATCH_ITEMS && batch.bytes < BATCH_BYTES) continue
      yield batch
      batch = new ExportBatch(context)
    }
  }
  if (batch.items > 0) yield batch
}
