/**
 * Writes a directory or file of a volume out to the host.
 *
 * One snapshot is walked in batches. What looks finished on the host (size, modification time) is
 * skipped, so a second run goes on where the first one ended. The contents of a batch's small
 * files are fetched in one pass of the tree, several batches ahead of the writing.
 */
import {
  linkSync,
  lstatSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  readlinkSync
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { readAhead } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import type { ExportOptions, TransferPlace, TransferReport } from '../transfer.ts'
import { INLINE_BYTES_MAX } from '../volume/volume.ts'
import type { Inode, InodeNumber, Snapshot } from '../volume/volume.ts'
import { Slices } from './slices.ts'
import { TransferLog } from './transfer-log.ts'
import { walkSnapshot } from './volume-listing.ts'
import type { VolumeItem } from './volume-listing.ts'
import { finishDirectory, writeLargeFile, writeSmallFile } from './write-host-file.ts'

const BATCH_ITEMS = 512
const BATCH_BYTES = 2 * 1024 * 1024

/** Batches being fetched while one is written: covers a round trip at full speed on a fast link. */
const BATCHES_AHEAD = 3

/** Large files fetched at once: hides the round trips of middling ones. */
const FILES_AT_ONCE = 6

interface ExportTarget {
  readonly root: string
  readonly snapshot: Snapshot
  readonly options: ExportOptions
  readonly slices: Slices
  readonly log: TransferLog
  /** Host paths of inodes with several names that were written already. */
  readonly links: Map<InodeNumber, string>
}

interface Loaded {
  readonly items: readonly VolumeItem[]
  /** Contents of the small files that are not on the host as they should be. */
  readonly contents: ReadonlyMap<VolumeItem, Uint8Array>
  readonly finished: ReadonlySet<VolumeItem>
}

/** Throws what the host throws for the top, `ENOENT`, `EHOSTUNREACH`. */
export async function exportToHost(
  from: TransferPlace,
  hostPath: string,
  options: ExportOptions
): Promise<TransferReport> {
  const snapshot = await from.volume.snapshot(options)
  const inode = await topOf(snapshot, from)
  const log = new TransferLog(options)
  const root = resolve(hostPath)
  const target = { root, snapshot, options, slices: new Slices(), log, links: new Map() }
  if (inode.type === 'directory') {
    mkdirSync(root, { recursive: true })
    const counting = options.onProgress === undefined ? undefined : countTotals(target, inode)
    for await (const loaded of loadAhead(
      target,
      walkSnapshot(snapshot, inode, signalOf(options))
    )) {
      await writeBatch(target, loaded)
    }
    await counting
  } else {
    mkdirSync(dirname(root), { recursive: true })
    const entry = { name: '', inode: inode.number, type: inode.type, attributes: inode }
    await writeBatch(target, await load(target, [{ kind: 'entry', path: '', entry }]))
  }
  return log.report()
}

async function topOf(snapshot: Snapshot, { directory, name }: TransferPlace): Promise<Inode> {
  const entry = name === undefined ? undefined : await snapshot.lookup(directory, name)
  const number = name === undefined ? directory : entry?.inode
  const inode = number === undefined ? undefined : await snapshot.inode(number)
  if (inode === undefined) throw new WarrenError('ENOENT', { syscall: 'export', path: name ?? '/' })
  return inode
}

/** Totals for a progress bar, counted beside the transfer. */
async function countTotals({ snapshot, log, options }: ExportTarget, top: Inode): Promise<void> {
  let files = 0
  let bytes = 0
  try {
    for await (const item of walkSnapshot(snapshot, top, signalOf(options))) {
      if (item.kind === 'end' || item.entry.type !== 'file') continue
      files++
      bytes += item.entry.attributes.size
    }
    log.filesTotal = files
    log.bytesTotal = bytes
  } catch {
    // The transfer itself meets the same failure and tells it.
  }
}

function loadAhead(target: ExportTarget, items: AsyncIterable<VolumeItem>): AsyncIterable<Loaded> {
  const ahead = { readsMax: BATCHES_AHEAD, signal: target.options.signal }
  return readAhead(batches(items), batch => load(target, batch), ahead)
}

async function* batches(items: AsyncIterable<VolumeItem>): AsyncGenerator<VolumeItem[]> {
  let batch: VolumeItem[] = []
  let bytes = 0
  for await (const item of items) {
    batch.push(item)
    if (item.kind === 'entry') bytes += Math.min(item.entry.attributes.size, INLINE_BYTES_MAX)
    if (batch.length < BATCH_ITEMS && bytes < BATCH_BYTES) continue
    yield batch
    batch = []
    bytes = 0
  }
  if (batch.length > 0) yield batch
}

async function load(target: ExportTarget, items: readonly VolumeItem[]): Promise<Loaded> {
  const { root, options, slices, snapshot } = target
  const finished = new Set<VolumeItem>()
  const small: { readonly item: VolumeItem; readonly inode: Inode }[] = []
  for (const item of items) {
    if (item.kind === 'end' || item.entry.type !== 'file') continue
    await slices.share()
    const inode = item.entry.attributes
    if (options.verify !== true && isFinished(join(root, item.path), inode)) finished.add(item)
    else if (inode.size <= INLINE_BYTES_MAX) small.push({ item, inode })
  }
  const inodes = small.map(({ inode }) => inode)
  const found = await snapshot.inlineContents(inodes, signalOf(options))
  const contents = new Map<VolumeItem, Uint8Array>()
  for (const [index, { item, inode }] of small.entries()) {
    const bytes = found[index]
    if (bytes?.length === inode.size) contents.set(item, bytes)
  }
  return { items, contents, finished }
}

function isFinished(path: string, inode: Inode): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  return (
    stats !== undefined &&
    stats.isFile() &&
    stats.size === inode.size &&
    // Host file systems keep nanoseconds, a number of milliseconds about one thousandth of one.
    Math.abs(stats.mtimeMs - inode.mtimeMs) < 0.01
  )
}

async function writeBatch(target: ExportTarget, loaded: Loaded): Promise<void> {
  const { options, slices, log, root } = target
  const large: (VolumeItem & { readonly kind: 'entry' })[] = []
  for (const item of loaded.items) {
    options.signal?.throwIfAborted()
    if (slices.isUsedUp) await slices.share()
    const path = join(root, item.path)
    if (item.kind === 'end') {
      // Large files of the directory have to be there before its times are set.
      await writeLargeFiles(target, large.splice(0))
      attempt(log, item.path, () => finishDirectory(path, item.inode))
      continue
    }
    const { attributes } = item.entry
    const bytes = loaded.contents.get(item)
    if (loaded.finished.has(item)) log.skip(item.path, attributes.size)
    else if (item.entry.type === 'directory')
      attempt(log, item.path, () => makeDirectory(log, path))
    else if (item.entry.type === 'symlink') {
      attempt(log, item.path, () => makeSymlink(log, path, attributes))
    } else if (makeLink(target, item.path, attributes)) log.file(item.path, 0)
    else if (bytes === undefined) large.push(item)
    else {
      attempt(log, item.path, () => {
        writeSmallFile(path, attributes, bytes)
        log.passed(item.path, bytes.length)
        log.file(item.path, bytes.length)
      })
    }
  }
  await writeLargeFiles(target, large)
}

async function writeLargeFiles(
  target: ExportTarget,
  items: readonly (VolumeItem & { readonly kind: 'entry' })[]
): Promise<void> {
  const { root, snapshot, options, log } = target
  const rest = items.values()
  const work = async (): Promise<void> => {
    for (const { path, entry } of rest) {
      const inode = entry.attributes
      try {
        await writeLargeFile(
          join(root, path),
          { snapshot, inode },
          { ...signalOf(options), onBytes: bytes => log.passed(path, bytes) }
        )
        log.file(path, inode.size)
      } catch (error) {
        if (!isHostFailure(error)) throw error
        log.fail(path, error)
      }
    }
  }
  const results = await Promise.allSettled(Array.from({ length: FILES_AT_ONCE }, work))
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

/** A second name of a file that is there already becomes a hard link. */
function makeLink({ root, links, log }: ExportTarget, path: string, inode: Inode): boolean {
  if (inode.links < 2) return false
  const first = links.get(inode.number)
  if (first === undefined) {
    links.set(inode.number, join(root, path))
    return false
  }
  try {
    rmSync(join(root, path), { force: true })
    linkSync(first, join(root, path))
    return true
  } catch (error) {
    log.fail(path, error)
    return true
  }
}

function makeDirectory(log: TransferLog, path: string): void {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats?.isDirectory() === true) return
  if (stats !== undefined) unlinkSync(path)
  mkdirSync(path, { mode: 0o700 })
  log.directories++
}

function makeSymlink(log: TransferLog, path: string, { target }: Inode): void {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats?.isSymbolicLink() === true && readlinkSync(path) === target) return
  if (stats !== undefined) unlinkSync(path)
  symlinkSync(target!, path)
  log.symlinks++
}

function attempt(log: TransferLog, path: string, work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!isHostFailure(error)) throw error
    log.fail(path, error)
  }
}

/** One file that cannot be written ends nothing; a full disk would fail each one after it. */
function isHostFailure(error: unknown): boolean {
  if (error instanceof WarrenError) return false
  const { code, syscall } = error as NodeJS.ErrnoException
  return syscall !== undefined && code !== 'ENOSPC' && code !== 'EDQUOT'
}

function signalOf({ signal }: ExportOptions): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}
