/**
 * One batch of an export. First, while others are being written, it is looked up what is on the
 * host already, and the contents of small files are fetched. Then it is written: directories and
 * small files as they come, large files side by side, then further names of files, and last the
 * times of directories, which everything in them would change.
 */
import { chmodSync, readFileSync } from 'node:fs'
import { WarrenError } from '../../errors.ts'
import { INLINE_BYTES_MAX } from '../volume/volume.ts'
import type { ExportContext } from './export-context.ts'
import type { ExportDirectory } from './export-directory.ts'
import { lookAt, lstatOf } from './file-on-host.ts'
import type { FileOnHost } from './file-on-host.ts'
import {
  finishDirectory,
  isHostName,
  makeDirectory,
  makeHardLink,
  makeSymlink,
  modeOf
} from './host-places.ts'
import { keepInPlace } from './keep-in-place.ts'
import type { EndItem, EntryItem, VolumeItem } from './walk-snapshot.ts'
import { writeLargeFile, writeWholeFile } from './write-host-file.ts'

/** Files fetched at once, and their bytes: hides the round trips of middling ones. */
const FILES_AT_ONCE = 16
const BYTES_AT_ONCE = 16 * 1024 * 1024

/** A new file up to this size is held in memory and written in one go. */
const WHOLE_BYTES_MAX = 512 * 1024

/** Files with several names whose further names are still awaited; those of more become copies. */
const LINKS_MAX = 100_000

export class ExportBatch {
  /** Bytes of small files that will be held. */
  bytes = 0
  readonly #context: ExportContext
  readonly #items: VolumeItem[] = []
  readonly #found = new Map<EntryItem, FileOnHost>()
  readonly #contents = new Map<EntryItem, Uint8Array>()

  constructor(context: ExportContext) {
    this.#context = context
  }

  get items(): number {
    return this.#items.length
  }

  add(item: VolumeItem): void {
    this.#items.push(item)
    if (item.kind === 'entry') this.bytes += Math.min(item.entry.attributes.size, INLINE_BYTES_MAX)
  }

  async load(): Promise<void> {
    const { slices, snapshot, signal } = this.#context
    const small: EntryItem[] = []
    for (const item of this.#items) {
      if (item.kind === 'end') continue
      if (slices.isUsedUp) await slices.share()
      if (item.made !== undefined) item.made.wasThere = isDirectory(item)
      if (item.entry.type !== 'file') continue
      const found = this.#look(item)
      this.#found.set(item, found)
      if (found !== 'finished' && item.entry.attributes.size <= INLINE_BYTES_MAX) small.push(item)
    }
    const inodes = small.map(({ entry }) => entry.attributes)
    const contents = await snapshot.inlineContents(inodes, { signal })
    for (const [index, item] of small.entries()) {
      const bytes = contents[index]
      if (bytes?.length === item.entry.attributes.size) this.#contents.set(item, bytes)
    }
  }

  async write(): Promise<void> {
    const { slices, signal } = this.#context
    const large: EntryItem[] = []
    const links: EntryItem[] = []
    const ends: EndItem[] = []
    for (const item of this.#items) {
      signal.throwIfAborted()
      if (slices.isUsedUp) await slices.share()
      if (item.kind === 'end') ends.push(item)
      else if (item.directory.failed || !this.#isPossible(item)) markFailed(item)
      else if (item.entry.type !== 'file') this.#writeOther(item)
      else if (this.#isFurtherName(item)) links.push(item)
      else if (!this.#writeSmall(item)) large.push(item)
    }
    await this.#writeLarge(large)
    for (const item of links) if (!this.#link(item)) await this.#writeLarge([item])
    for (const { directory } of ends) this.#finish(directory)
  }

  #look(item: EntryItem): FileOnHost {
    if (!item.directory.wasThere) return 'nothing'
    const found = lookAt(hostPathOf(item), item.entry.attributes)
    return found === 'finished' && this.#context.verify === true ? 'other' : found
  }

  #isPossible(item: EntryItem): boolean {
    if (isHostName(item.entry.name)) return true
    const cause = new WarrenError('EINVAL', { message: 'no name for this host' })
    this.#context.log.fail(pathOf(item), cause)
    return false
  }

  #writeOther(item: EntryItem): void {
    const { log } = this.#context
    const hostPath = hostPathOf(item)
    const { made, entry } = item
    const isDone = this.#attempt(item, () => {
      if (made === undefined) log.symlinks += Number(makeSymlink(hostPath, entry.attributes))
      else log.directories += Number(makeDirectory(hostPath))
    })
    if (!isDone) markFailed(item)
  }

  /** Whether an earlier name of the file is on the host; remembers it if another may come. */
  #isFurtherName(item: EntryItem): boolean {
    const { links } = this.#context
    const { number, links: names } = item.entry.attributes
    if (names < 2) return false
    const known = links.get(number)
    if (known !== undefined) return true
    if (links.size < LINKS_MAX) links.set(number, { hostPath: hostPathOf(item), left: names - 1 })
    return false
  }

  /** False when nothing was done, because the file has to be fetched. */
  #writeSmall(item: EntryItem): boolean {
    const { log } = this.#context
    const { attributes } = item.entry
    const bytes = this.#contents.get(item)
    if (this.#found.get(item) === 'finished') this.#attempt(item, () => this.#skip(item))
    else if (bytes === undefined) return false
    else {
      this.#attempt(item, () => {
        if (this.#found.get(item) === 'other' && this.#isEqual(item, bytes)) this.#skip(item)
        else {
          writeWholeFile(hostPathOf(item), attributes, [bytes])
          log.passed(pathOf(item), bytes.length)
          log.file(pathOf(item), bytes.length)
        }
      })
    }
    return true
  }

  /** Whether a file that looks finished is, for `verify`. */
  #isEqual(item: EntryItem, bytes: Uint8Array): boolean {
    if (this.#context.verify !== true) return false
    const hostPath = hostPathOf(item)
    if (lookAt(hostPath, item.entry.attributes) !== 'finished') return false
    return Buffer.compare(readFileSync(hostPath), bytes) === 0
  }

  #skip(item: EntryItem): void {
    const hostPath = hostPathOf(item)
    const { attributes } = item.entry
    const stats = lstatOf(hostPath)
    if (stats?.isFile() === true && (stats.mode & 0o7777) !== modeOf(attributes)) {
      chmodSync(hostPath, modeOf(attributes))
    }
    this.#context.log.skip(pathOf(item), attributes.size)
  }

  async #writeLarge(items: readonly EntryItem[]): Promise<void> {
    const running = new Set<Promise<void>>()
    const failures: unknown[] = []
    let bytes = 0
    for (const item of items) {
      const weight = Math.min(item.entry.attributes.size, BYTES_AT_ONCE)
      while (
        running.size >= FILES_AT_ONCE ||
        (running.size > 0 && bytes + weight > BYTES_AT_ONCE)
      ) {
        await Promise.race(running)
      }
      if (failures.length > 0) break
      bytes += weight
      const work = this.#writeOne(item)
        .catch((error: unknown) => void failures.push(error))
        .finally(() => {
          bytes -= weight
          running.delete(work)
        })
      running.add(work)
    }
    await Promise.all(running)
    if (failures.length > 0) throw failures[0]
  }

  async #writeOne(item: EntryItem): Promise<void> {
    const { snapshot, encoding, signal, log } = this.#context
    const inode = item.entry.attributes
    const path = pathOf(item)
    const hostPath = hostPathOf(item)
    const keep = this.#context.references === undefined
    try {
      if (this.#found.get(item) === 'nothing' && inode.size <= WHOLE_BYTES_MAX) {
        const pieces: Uint8Array[] = []
        for await (const piece of snapshot.read(inode, { signal, keep })) pieces.push(piece)
        writeWholeFile(hostPath, inode, pieces)
        await this.#keepInPlace(item)
        log.passed(path, inode.size)
        log.file(path, inode.size)
        return
      }
      const onBytes = (count: number): void => log.passed(path, count)
      const source = { snapshot, inode, encoding }
      const written = await writeLargeFile(hostPath, source, { signal, onBytes, keep })
      await this.#keepInPlace(item)
      if (written === 0 && this.#context.verify === true) log.skip(path, 0)
      else log.file(path, inode.size)
    } catch (error) {
      this.#fail(item, error)
    }
  }

  async #keepInPlace(item: EntryItem): Promise<void> {
    const { references, snapshot, signal } = this.#context
    if (references === undefined) return
    const file = { hostPath: hostPathOf(item), snapshot, inode: item.entry.attributes }
    await keepInPlace(references, file, signal)
  }

  /** False when the file has to be written once more instead. */
  #link(item: EntryItem): boolean {
    const { links, log } = this.#context
    const { number } = item.entry.attributes
    const known = links.get(number)!
    if (--known.left === 0) links.delete(number)
    try {
      const isMade = makeHardLink(known.hostPath, hostPathOf(item))
      if (isMade) log.file(pathOf(item), 0)
      else log.skip(pathOf(item), 0)
      return true
    } catch {
      // The first name may have failed, or the file have as many names as the host allows.
      return false
    }
  }

  #finish(directory: ExportDirectory): void {
    if (directory.failed) return
    try {
      finishDirectory(directory.hostPath, directory.inode)
    } catch (error) {
      if (!isHostFailure(error)) throw error
      this.#context.log.fail(directory.path, error)
    }
  }

  #attempt(item: EntryItem, work: () => void): boolean {
    try {
      work()
      return true
    } catch (error) {
      this.#fail(item, error)
      return false
    }
  }

  #fail(item: EntryItem, error: unknown): void {
    if (!isHostFailure(error)) throw error
    this.#context.log.fail(pathOf(item), error)
  }
}

function markFailed({ made }: EntryItem): void {
  if (made !== undefined) made.failed = true
}

/** What exports of a single file name themselves. */
function hostPathOf({ directory, entry, hostPath }: EntryItem): string {
  return hostPath ?? directory.hostPathOf(entry.name)
}

function pathOf({ directory, entry }: EntryItem): string {
  return directory.pathOf(entry.name)
}

function isDirectory(item: EntryItem): boolean {
  return item.directory.wasThere && lstatOf(hostPathOf(item))?.isDirectory() === true
}

/** One file that cannot be written ends nothing; a full disk would fail each one after it. */
function isHostFailure(error: unknown): boolean {
  if (error instanceof WarrenError) return false
  const { code, syscall } = error as NodeJS.ErrnoException
  return syscall !== undefined && code !== 'ENOSPC' && code !== 'EDQUOT'
}
