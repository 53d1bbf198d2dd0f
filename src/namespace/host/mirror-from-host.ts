/**
 * Keeps a directory of a volume equal to a folder of the host, as the folder changes.
 *
 * Watchers tell in which directories something happened; only those are compared again, and what
 * is new below them. Watching is a guess: events get lost when too many come at once, some file
 * systems send none. So the whole folder is compared too from time to time, at once when events
 * may have been lost, and again and again where directories cannot be watched.
 */
import { lstatSync, realpathSync } from 'node:fs'
import type { MirrorOptions, TransferPlace, TransferReport } from '../transfer.ts'
import type { Inode, Snapshot } from '../volume/volume.ts'
import type { HostEntry } from './host-entry.ts'
import { createImportContext, forgetCopied, openTop } from './import-from-host.ts'
import { snapshotOf } from './import-context.ts'
import type { ImportContext } from './import-context.ts'
import { ImportDirectory } from './import-items.ts'
import { importItems } from './import-items-in-batches.ts'
import type { ImportComponents } from './import-volume.ts'
import { RoundTimer } from './round-timer.ts'
import { TransferLog } from './transfer-log.ts'
import { walkHost } from './walk-host.ts'
import type { Subdirectory, WalkGuide } from './walk-host.ts'
import { WatchedDirectories } from './watched-directories.ts'
import type { DirectoryChanges, FolderChanges, Watch } from './watched-directories.ts'

/** Comparing takes no more than a fiftieth of the time beside watching, a tenth without. */
const FULL_WALK_MS = 5 * 60_000
const FULL_WALK_SHARE = 50
const POLL_MS = 2_000
const POLL_SHARE = 10

/**
 * After a round the mirror rests for as long as it took, so that a large file that is written to
 * all the time keeps it busy for half of the time. A walk of the whole is rarely repeated.
 */
const REST_MS_MAX = 30_000
const REST_AFTER_WALK_MS = 500

/**
 * A file that was changed again within the granularity of the host's times looks unchanged. It is
 * read again when an event names it and its time is not this much older. FAT keeps even seconds.
 */
const TIME_GRANULARITY_MS = 2_500

const EVERYTHING: FolderChanges = { everywhere: true, directories: new Map() }

export interface MirrorComponents extends ImportComponents {
  /** Default: the host's `fs.watch`. */
  readonly watch?: Watch
}

/** See `HostTransfers.mirror`. */
export async function* mirrorFromHost(
  components: MirrorComponents,
  hostPath: string,
  to: TransferPlace,
  options: MirrorOptions
): AsyncGenerator<TransferReport> {
  const mirror = new HostMirror(components, { hostPath: realpathSync(hostPath), to }, options)
  try {
    yield await mirror.round(EVERYTHING)
    for (;;) {
      const report = await mirror.round(await mirror.changes())
      if (isWorthTelling(report)) yield report
    }
  } catch (error) {
    if (options.signal?.aborted !== true) throw error
  } finally {
    mirror.close()
  }
}

class HostMirror {
  readonly #components: MirrorComponents
  readonly #place: { readonly hostPath: string; readonly to: TransferPlace }
  readonly #options: MirrorOptions
  readonly #watched: WatchedDirectories
  readonly #timer: RoundTimer
  #failureIsTold = false
  #fullWalkAt = 0
  #restUntil = 0

  constructor(
    components: MirrorComponents,
    place: { readonly hostPath: string; readonly to: TransferPlace },
    options: MirrorOptions
  ) {
    this.#components = components
    this.#place = place
    this.#options = options
    this.#timer = new RoundTimer(options.signal)
    this.#watched = new WatchedDirectories(() => this.#timer.change(), components.watch)
  }

  /** Resolves when there is something to look at. */
  async changes(): Promise<FolderChanges> {
    await this.#timer.wait({ earliest: this.#restUntil, latest: this.#fullWalkAt })
    const isDue = performance.now() >= this.#fullWalkAt
    const changes = this.#watched.take()
    return isDue ? { ...changes, everywhere: true } : changes
  }

  async round(changes: FolderChanges): Promise<TransferReport> {
    const log = new TransferLog(this.#options)
    const call = { to: this.#place.to, options: this.#options, log }
    const context = createImportContext(this.#components, call)
    const began = performance.now()
    const top = await openTop(context, this.#place.hostPath, this.#place.to)
    const starts = changes.everywhere
      ? [top]
      : await startsOf(context, top, [...changes.directories.keys()])
    const guide = new MirrorGuide(this.#watched, changes)
    await importItems(context, walkHost(context, starts, guide))
    await forgetCopied(context)
    this.#plan(performance.now() - began, changes)
    this.#noteAgain(log)
    return log.report()
  }

  close(): void {
    this.#watched.close()
    this.#timer.close()
  }

  #plan(tookMs: number, { everywhere }: FolderChanges): void {
    const now = performance.now()
    this.#restUntil = now + Math.min(tookMs, everywhere ? REST_AFTER_WALK_MS : REST_MS_MAX)
    if (this.#watched.failure !== undefined) {
      this.#fullWalkAt = now + Math.max(POLL_MS, tookMs * POLL_SHARE)
    } else if (everywhere) {
      const pauseMs = this.#options.fullWalkMs ?? FULL_WALK_MS
      this.#fullWalkAt = now + Math.max(pauseMs, tookMs * FULL_WALK_SHARE)
    }
  }

  /** What changed while it was read is looked at again, whether an event says so or not. */
  #noteAgain(log: TransferLog): void {
    for (const { path, error } of log.failures) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY') continue
      this.#watched.note(path.slice(0, Math.max(0, path.lastIndexOf('/'))))
    }
    const { failure } = this.#watched
    if (failure === undefined || this.#failureIsTold) return
    this.#failureIsTold = true
    log.fail('', failure)
  }
}

class MirrorGuide implements WalkGuide {
  readonly #watched: WatchedDirectories
  readonly #changes: FolderChanges

  constructor(watched: WatchedDirectories, changes: FolderChanges) {
    this.#watched = watched
    this.#changes = changes
  }

  begin(directory: ImportDirectory, stats: Subdirectory['stats']): void {
    this.#watched.add(directory, stats)
  }

  end({ path }: ImportDirectory, subdirectories: readonly Subdirectory[]): void {
    this.#watched.keepOnly(path, new Set(subdirectories.map(({ name }) => name)))
  }

  enters({ directory, stats }: Subdirectory): boolean {
    return this.#changes.everywhere || !this.#watched.has(directory.path, stats)
  }

  suspects({ path }: ImportDirectory, { name, stats }: HostEntry): boolean {
    const changes = this.#changes.directories.get(path)
    return changes !== undefined && mayConcern(changes, name, stats.mtimeMs)
  }
}

function mayConcern({ names, sinceMs }: DirectoryChanges, name: string, timeMs: number): boolean {
  if (names !== undefined && !names.has(name)) return false
  return timeMs >= sinceMs - TIME_GRANULARITY_MS
}

/** The directories of these paths, or the nearest above them that are on both sides, each once. */
async function startsOf(
  context: ImportContext,
  top: ImportDirectory,
  paths: readonly string[]
): Promise<ImportDirectory[]> {
  const snapshot = await snapshotOf(context)
  const starts = new Map<string, ImportDirectory>()
  for (const path of paths.toSorted()) {
    if (context.slices.isUsedUp) await context.slices.share()
    const start = await nearest(snapshot, top, path)
    if (!starts.has(start.path)) starts.set(start.path, start)
  }
  return [...starts.values()]
}

async function nearest(
  snapshot: Snapshot,
  top: ImportDirectory,
  path: string
): Promise<ImportDirectory> {
  let at = top
  if (path === '') return at
  for (const name of path.split('/')) {
    const found = await directoryIn(snapshot, at, name)
    const stats = lstatSync(at.hostPathOf(name), { throwIfNoEntry: false })
    if (found === undefined || stats?.isDirectory() !== true) break
    at = new ImportDirectory({ path: at.pathOf(name), hostPath: at.hostPathOf(name) }, found)
  }
  return at
}

async function directoryIn(
  snapshot: Snapshot,
  { inode }: ImportDirectory,
  name: string
): Promise<Inode | undefined> {
  const entry = await snapshot.lookup(inode!, name)
  return entry?.type === 'directory' ? snapshot.inode(entry.inode) : undefined
}

function isWorthTelling(report: TransferReport): boolean {
  const { files, directories, symlinks, removed, failed } = report
  return files + directories + symlinks + removed + failed.length > 0
}
