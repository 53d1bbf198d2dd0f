/** `readdir` and `opendir`. */
import { WarrenError } from '../../errors.ts'
import { withEncoding } from './arguments.ts'
import type { FileSystemContext } from './context.ts'
import type { Directory } from './directory.ts'
import { Dirent, DirentWithStats } from './dirent.ts'
import { attempt, explain } from './failures.ts'
import type { OpenDirectoryOptions, ReadDirectoryOptions } from './file-system.ts'
import type { VolumeId } from '../heads/head.ts'
import type { ListedDirectory, ListedEntry } from './list-entries.ts'
import { expectChild, listEntries } from './list-entries.ts'
import type { PathLike } from './paths.ts'
import { PATH_BYTES_MAX, appendName, joinPath, toPath } from './paths.ts'
import type { Place } from './resolve.ts'
import { resolveDirectory } from './resolve.ts'
import { Stats } from './stats.ts'
import { Turns } from '../volume/turns.ts'
import type { TextEncoding } from './text.ts'
import { nameInEncoding } from './text.ts'

/** Some entries of one directory. */
interface Batch {
  /** Path of the directory as asked for. */
  readonly parentPath: string
  /** Path of the directory relative to where the listing began; empty, or with a slash at its end. */
  readonly prefix: string
  /** The volume of entries that say no other. */
  readonly volume: VolumeId
  readonly entries: readonly ListedEntry[]
}

type Listed = string | Uint8Array | Dirent | Dirent<Uint8Array>

export async function readDirectory(
  context: FileSystemContext,
  path: PathLike,
  options?: ReadDirectoryOptions | TextEncoding | 'buffer' | null
): Promise<Listed[]> {
  const settings: ReadDirectoryOptions = withEncoding<ReadDirectoryOptions>(options)
  const written = toPath(path)
  return await attempt({ syscall: 'scandir', path: written }, async () => {
    const { signal } = settings
    const place = await resolveDirectory(context, written, signal === undefined ? {} : { signal })
    const listed: Listed[] = []
    for await (const batch of walk(context, place, { ...settings, path: written })) {
      append(listed, batch, settings)
    }
    return listed
  })
}

function append(
  listed: Listed[],
  { entries, parentPath, prefix, volume }: Batch,
  { encoding, withFileTypes, withStats }: ReadDirectoryOptions
): void {
  for (const entry of entries) {
    if (withStats !== true && withFileTypes !== true) {
      listed.push(nameInEncoding(prefix + entry.name, encoding))
      continue
    }
    const name = nameInEncoding(entry.name, encoding) as string
    const { type } = entry
    listed.push(
      withStats === true
        ? new DirentWithStats({ name, parentPath, type }, statsOf(entry, volume))
        : new Dirent({ name, parentPath, type })
    )
  }
}

function statsOf({ attributes, volume }: ListedEntry, listed: VolumeId): Stats | undefined {
  return attributes && new Stats(attributes, volume ?? listed)
}

export async function openDirectory(
  context: FileSystemContext,
  path: PathLike,
  options: OpenDirectoryOptions = {}
): Promise<Directory> {
  const written = toPath(path)
  return await attempt({ syscall: 'opendir', path: written }, async () => {
    const { signal } = options
    const place = await resolveDirectory(context, written, signal === undefined ? {} : { signal })
    const batches = walk(context, place, { ...options, path: written })
    return new OpenDirectory(written, batches, options.withStats === true)
  })
}

interface WalkOptions extends OpenDirectoryOptions {
  readonly path: string
}

interface Pending extends ListedDirectory {
  readonly parentPath: string
  readonly prefix: string
}

/** Batches of a directory, and with `recursive` of everything below, a level at a time as Node does. */
async function* walk(
  context: FileSystemContext,
  start: Place,
  { path, recursive, withStats, signal }: WalkOptions
): AsyncGenerator<Batch> {
  const options = signal === undefined ? { withStats } : { withStats, signal }
  const { volume, snapshot, inode } = start
  const first = { path: start.path, volume, snapshot, directory: inode.number }
  let level: Pending[] = [{ ...first, parentPath: path, prefix: '' }]
  while (level.length > 0) {
    const below: Pending[] = []
    for (const pending of level) {
      const { parentPath, prefix } = pending
      for await (const entries of listEntries(context, pending, options)) {
        signal?.throwIfAborted()
        yield { parentPath, prefix, volume: pending.volume.id, entries }
        if (recursive !== true) continue
        for (const entry of entries) {
          if (entry.type === 'directory') below.push(await enter(context, pending, entry))
        }
      }
    }
    level = below
  }
}

async function enter(
  context: FileSystemContext,
  parent: Pending,
  { name, inode }: ListedEntry
): Promise<Pending> {
  const path = joinPath(parent.path, name)
  // Nothing below could be opened by its path; a hostile volume may be deeper than any memory.
  if (path.length > PATH_BYTES_MAX) throw new WarrenError('ENAMETOOLONG')
  const names = {
    parentPath: appendName(parent.parentPath, name),
    prefix: `${parent.prefix}${name}/`
  }
  if (inode !== undefined) {
    const { volume, snapshot, directory } = parent
    await expectChild(snapshot, { directory, child: inode })
    return { path, volume, snapshot, directory: inode, ...names }
  }
  const { volume, snapshot, inode: found } = await resolveDirectory(context, path)
  return { path, volume, snapshot, directory: found.number, ...names }
}

class OpenDirectory implements Directory {
  readonly path: string
  readonly #batches: AsyncGenerator<Batch>
  readonly #withStats: boolean
  readonly #turns = new Turns()
  #batch: Batch | undefined
  #next = 0
  #closed = false

  constructor(path: string, batches: AsyncGenerator<Batch>, withStats: boolean) {
    this.path = path
    this.#batches = batches
    this.#withStats = withStats
  }

  read(): Promise<Dirent | null> {
    return this.#turns.take(async () => {
      this.#expectOpen('read')
      while (this.#batch === undefined || this.#next >= this.#batch.entries.length) {
        const more = await this.#batches.next().catch(error => {
          throw explain(error, { syscall: 'scandir', path: this.path })
        })
        if (more.done === true) return null
        this.#batch = more.value
        this.#next = 0
      }
      const { parentPath, volume, entries } = this.#batch
      const entry = entries[this.#next++]!
      const named = { name: entry.name, parentPath, type: entry.type }
      return this.#withStats
        ? new DirentWithStats(named, statsOf(entry, volume))
        : new Dirent(named)
    })
  }

  async close(): Promise<void> {
    this.#expectOpen('closedir')
    this.#closed = true
    await this.#batches.return(undefined)
  }

  async *entries(): AsyncGenerator<Dirent> {
    try {
      for (let entry = await this.read(); entry !== null; entry = await this.read()) yield entry
    } finally {
      await this[Symbol.asyncDispose]()
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<Dirent> {
    return this.entries()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closed) await this.close()
  }

  #expectOpen(syscall: string): void {
    if (this.#closed) throw new WarrenError('EBADF', { syscall, path: this.path })
  }
}
