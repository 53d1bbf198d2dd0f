/**
 * Compares a folder of the host with a directory of a volume, both in the order of their names,
 * and tells what has to be done. What is as it was costs a look and no more.
 */
import { lstatSync, statSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { WarrenError } from '../../errors.ts'
import { isName } from '../volume/names.ts'
import type { EntryWithInode, Inode } from '../volume/volume.ts'
import { EntryCursor } from './entry-cursor.ts'
import { hasAttributesOf, hasContentOf, hostKey, isSmall, readEntry } from './host-entry.ts'
import type { HostEntry } from './host-entry.ts'
import { readNames } from './host-names.ts'
import { snapshotOf } from './import-context.ts'
import type { ImportContext } from './import-context.ts'
import { ImportDirectory } from './import-items.ts'
import type { ImportItem } from './import-items.ts'

/** Items handed over at once. */
const ITEMS_AT_ONCE = 128

/** What looking at a name leaves behind in memory, about. */
const GARBAGE_BYTES_PER_NAME = 256

/** Leads a walk that need not look at everything. */
export interface WalkGuide {
  /** Called before a directory is listed. */
  begin(directory: ImportDirectory, stats: Stats): void
  /** Called after it, with the directories in it. */
  end(directory: ImportDirectory, subdirectories: readonly Subdirectory[]): void
  /** Whether a directory that the volume has too is to be looked into. */
  enters(subdirectory: Subdirectory): boolean
  /** Whether a file that looks unchanged may have changed nevertheless. */
  suspects(directory: ImportDirectory, entry: HostEntry): boolean
}

export interface Subdirectory {
  readonly name: string
  readonly directory: ImportDirectory
  readonly stats: Stats
}

/** Looks at everything. */
export const WHOLE_WALK: WalkGuide = {
  begin: () => {},
  end: () => {},
  enters: () => true,
  suspects: () => false
}

/** Parents come before what is in them. Throws what the host throws for the folder itself. */
export async function* walkHost(
  context: ImportContext,
  starts: readonly ImportDirectory[],
  guide: WalkGuide = WHOLE_WALK
): AsyncGenerator<readonly ImportItem[]> {
  const pending = [...starts].reverse()
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    context.signal?.throwIfAborted()
    const walk = new DirectoryWalk(context, next, guide)
    if (!(await walk.open())) continue
    yield* walk.items()
    const { subdirectories } = walk
    guide.end(next, subdirectories)
    for (const found of subdirectories.toReversed()) {
      const { directory } = found
      if (directory.existing === undefined || guide.enters(found)) pending.push(directory)
    }
  }
}

class DirectoryWalk {
  readonly subdirectories: Subdirectory[] = []
  readonly #context: ImportContext
  readonly #directory: ImportDirectory
  readonly #guide: WalkGuide
  #stats: Stats | undefined
  #names: readonly string[] = []
  #items: ImportItem[] = []
  /** In the volume and not on the host. */
  #gone: EntryWithInode[] = []

  constructor(context: ImportContext, directory: ImportDirectory, guide: WalkGuide) {
    this.#context = context
    this.#directory = directory
    this.#guide = guide
  }

  /** False for a directory that cannot be read: one gap, unless it is the folder itself. */
  async open(): Promise<boolean> {
    const { path, hostPath } = this.#directory
    const { log, slices } = this.#context
    try {
      this.#stats = path === '' ? statSync(hostPath) : lstatSync(hostPath)
      if (!this.#stats.isDirectory()) throw new WarrenError('ENOTDIR', { path: hostPath })
      this.#guide.begin(this.#directory, this.#stats)
      const { names, notUtf8 } = await readNames(hostPath, slices)
      this.#names = names
      for (const name of notUtf8) {
        log.fail(this.#directory.pathOf(name), new WarrenError('EINVAL', { message: 'not UTF-8' }))
      }
      return true
    } catch (error) {
      if (path === '') throw error
      log.fail(path, error)
      return false
    }
  }

  async *items(): AsyncGenerator<readonly ImportItem[]> {
    const { slices, signal, garbage } = this.#context
    const cursor = await this.#openCursor()
    try {
      for (const name of this.#names) {
        if (slices.isUsedUp) await slices.share()
        garbage.add(GARBAGE_BYTES_PER_NAME)
        this.#compare(name, await cursor?.find(name, this.#gone))
        if (this.#items.length >= ITEMS_AT_ONCE || this.#gone.length >= ITEMS_AT_ONCE) {
          signal?.throwIfAborted()
          yield this.#take()
        }
      }
      if (cursor !== undefined) {
        for await (const rest of cursor.rest()) {
          this.#gone.push(...rest)
          yield this.#take()
        }
      }
    } finally {
      await cursor?.close()
    }
    yield this.#takeEnd()
  }

  async #openCursor(): Promise<EntryCursor | undefined> {
    const { existing } = this.#directory
    if (existing === undefined) return undefined
    const snapshot = await snapshotOf(this.#context)
    return new EntryCursor(snapshot.entriesWithInodes(existing.number))
  }

  #compare(name: string, found: EntryWithInode | undefined): void {
    const directory = this.#directory
    let entry: HostEntry | undefined
    try {
      if (!isName(name)) throw new WarrenError('EINVAL', { message: 'the name' })
      entry = readEntry(directory.hostPathOf(name), name)
    } catch (error) {
      // It is there, so what the volume has under the name stays.
      this.#context.log.fail(directory.pathOf(name), error)
      return
    }
    if (entry === undefined || this.#isExcluded(entry)) {
      if (found !== undefined) this.#gone.push(found)
      return
    }
    const item = this.#itemFor(entry, found?.attributes)
    if (item === undefined) return
    directory.touched = true
    this.#items.push(item)
  }

  #isExcluded({ name, stats }: HostEntry): boolean {
    const { exclude } = this.#context
    return exclude.size > 0 && stats.isDirectory() && exclude.has(this.#directory.hostPathOf(name))
  }

  /** Undefined when there is nothing to do. */
  #itemFor(entry: HostEntry, found: Inode | undefined): ImportItem | undefined {
    const { stats } = entry
    const directory = this.#directory
    if (stats.isFile()) return this.#fileItem(entry, found)
    if (stats.isDirectory()) {
      const existing = found?.type === 'directory' ? found : undefined
      const path = directory.pathOf(entry.name)
      const hostPath = directory.hostPathOf(entry.name)
      const made = new ImportDirectory({ path, hostPath }, existing)
      this.subdirectories.push({ name: entry.name, directory: made, stats })
      if (existing !== undefined) return undefined
      return { kind: 'directory', directory, entry, found, made }
    }
    if (stats.isSymbolicLink()) {
      const same = found?.type === 'symlink' && found.target === entry.target
      return same ? undefined : { kind: 'symlink', directory, entry, found }
    }
    const failure = new WarrenError('ENOTSUP', { message: 'a device, pipe or socket' })
    this.#context.log.fail(directory.pathOf(entry.name), failure)
    return undefined
  }

  #fileItem(entry: HostEntry, found: Inode | undefined): ImportItem | undefined {
    const { links, log, references } = this.#context
    const { stats } = entry
    const directory = this.#directory
    const looksSame = found !== undefined && hasContentOf(found, stats)
    const same = looksSame && !this.#guide.suspects(directory, entry) ? found : undefined
    if (stats.nlink > 1) {
      const key = hostKey(stats)
      const known = links.has(key)
      if (known && (same === undefined || links.get(key) !== same.number)) {
        return { kind: 'link', directory, entry, found }
      }
      if (!known) links.set(key, same?.number)
    }
    // Where the blocks of a larger file are has to be asked.
    const isHere = references === undefined || isSmall(stats)
    if (same !== undefined && isHere && hasAttributesOf(same, stats)) {
      log.skip(directory.pathOf(entry.name), stats.size)
      return undefined
    }
    const hostPath = directory.hostPathOf(entry.name)
    return { kind: 'file', directory, entry, found, hostPath, same }
  }

  #take(): readonly ImportItem[] {
    const items = this.#items
    const gone = this.#gone
    this.#items = []
    this.#gone = []
    if (gone.length > 0 && !this.#context.keepOthers) {
      this.#directory.touched = true
      items.push({ kind: 'removal', directory: this.#directory, gone })
    }
    return items
  }

  #takeEnd(): readonly ImportItem[] {
    const items = this.#take()
    const { touched, existing } = this.#directory
    const stats = this.#stats!
    if (!touched && existing !== undefined && hasAttributesOf(existing, stats)) return items
    return [...items, { kind: 'end', directory: this.#directory, stats }]
  }
}
