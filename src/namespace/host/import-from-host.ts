/**
 * Takes a folder or file of the host into a volume.
 *
 * The folder is walked directory by directory; what was found is worked on in batches. Of a batch,
 * files that look unchanged (size, modification time) are skipped, the contents of the others are
 * read and stored, and then one transaction puts all of it into the tree. A second run after a
 * crash therefore begins about where the first one ended.
 */
import { statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { WarrenError } from '../../errors.ts'
import type { ImportOptions, TransferPlace, TransferReport } from '../transfer.ts'
import type { InodeNumber, Transaction } from '../volume/volume.ts'
import { walkHost } from './host-listing.ts'
import { ImportBatch, below } from './import-batch.ts'
import type { ImportItem, ImportTarget } from './import-batch.ts'
import { Slices } from './slices.ts'
import type { ImportVolume, ReferenceStore } from './store-host-file.ts'
import { TransferLog } from './transfer-log.ts'

/** A transaction of this many names costs milliseconds and shares its tree nodes well. */
const BATCH_ITEMS = 512

/** Contents of small files held for one transaction. */
const BATCH_BYTES = 4 * 1024 * 1024

export interface ImportComponents {
  /** For `inPlace`; without it that is refused. */
  readonly references?: ReferenceStore
}

/** Throws what the host throws for the top of the folder, `EINVAL`, `EROFS`, `ENOTDIR`, `ENOSPC`. */
export async function importFromHost(
  components: ImportComponents,
  hostPath: string,
  to: TransferPlace,
  options: ImportOptions
): Promise<TransferReport> {
  const { references } = components
  if (options.inPlace === true && references === undefined) {
    throw new WarrenError('ENOTSUP', { message: 'this store keeps no references to host files' })
  }
  const path = resolve(hostPath)
  const stats = statSync(path)
  const log = new TransferLog(options)
  const target: ImportTarget = {
    volume: to.volume as ImportVolume,
    directories: new Map(),
    links: new Map(),
    references: options.inPlace === true ? references : undefined,
    keepOthers: options.keepOthers === true,
    slices: new Slices(),
    signal: options.signal,
    log
  }
  if (stats.isDirectory()) {
    target.directories.set('', await to.volume.update(transaction => openTop(transaction, to)))
    await importItems({ ...target, root: path }, items(path, target))
  } else {
    target.directories.set('', { inode: to.directory, isNew: false })
    const name = to.name ?? basename(path)
    const item: ImportItem = { kind: 'entry', path: '', entry: { name, stats }, hostPath: path }
    await importItems({ ...target, root: dirname(path) }, [item])
  }
  return log.report()
}

async function importItems(
  target: ImportTarget & { readonly root: string },
  source: AsyncIterable<ImportItem> | Iterable<ImportItem>
): Promise<void> {
  let batch = new ImportBatch(target)
  for await (const item of source) {
    batch.add(item)
    if (batch.items < BATCH_ITEMS && batch.bytes < BATCH_BYTES) continue
    await batch.run()
    batch = new ImportBatch(target)
  }
  await batch.run()
}

async function* items(root: string, target: ImportTarget): AsyncGenerator<ImportItem> {
  const { slices, signal, log } = target
  const onFailure = (path: string, error: unknown): void => log.fail(path, error)
  for await (const listing of walkHost(root, { slices, signal, onFailure })) {
    const { path, stats, entries, complete } = listing
    for (const entry of entries) {
      const hostPath = `${root}/${below(path, entry.name)}`
      yield { kind: 'entry', path, entry, hostPath }
    }
    const names = complete ? new Set(entries.map(({ name }) => name)) : undefined
    yield { kind: 'end', path, stats, names }
  }
}

/** The directory that the folder becomes: made if it is not there. */
async function openTop(
  transaction: Transaction,
  { directory, name }: TransferPlace
): Promise<{ readonly inode: InodeNumber; readonly isNew: boolean }> {
  if (name === undefined) return { inode: directory, isNew: false }
  const entry = await transaction.lookup(directory, name)
  if (entry === undefined) {
    const made = await transaction.create(directory, name, { type: 'directory', mode: 0o755 })
    return { inode: made.number, isNew: true }
  }
  if (entry.type !== 'directory')
    throw new WarrenError('ENOTDIR', { syscall: 'import', path: name })
  return { inode: entry.inode, isNew: false }
}
