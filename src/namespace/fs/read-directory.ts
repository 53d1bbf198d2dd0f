/** `readdir` and `opendir`. */
import { WarrenError } from '../../errors.ts'
import { withEncoding } from './arguments.ts'
import type { FileSystemContext } from './context.ts'
import type { Directory } from './directory.ts'
import { Dirent } from './dirent.ts'
import { attempt, explain } from './failures.ts'
import type { OpenDirectoryOptions, ReadDirectoryOptions } from './file-system.ts'
import type { ListedDirectory, ListedEntry } from './list-entries.ts'
import { expectChild, listEntries } from './list-entries.ts'
import type { PathLike } from './paths.ts'
import { PATH_BYTES_MAX, appendName, joinPath, toPath } from './paths.ts'
import type { Place } from './resolve.ts'
import { resolveDirectory } from './resolve.ts'
import { Turns } from '../volume/turns.ts'
import type { TextEncoding } from './text.ts'
import { nameInEncoding } from './text.ts'

interface Found extends ListedEntry {
  /** Path of its directory as asked for. */
  readonly parentPath: string
  /** Path relative to where the listing began. */
  readonly relativePath: string
}

export async function readDirectory(
  context: FileSystemContext,
  path: PathLike,
  options?: ReadDirectoryOptions | TextEncoding | 'buffer' | null
): Promise<(string | Uint8Array | Dirent | Dirent<Uint8Array>)[]> {
  const settings: ReadDirectoryOptions = withEncoding<ReadDirectoryOptions>(options)
  const written = toPath(path)
  return await attempt({ syscall: 'scandir', path: written }, async () => {
    const { encoding, signal, withFileTypes, recursive } = settings
    const place = await resolveDirectory(context, written, signal === undefined ? {} : { signal })
    const listed: (string | Uint8Array | Dirent | Dirent<Uint8Array>)[] = []
    for await (const batch of walk(context, place, { path: written, recursive, signal })) {
      for (const { name, type, parentPath, relativePath } of batch) {
        if (withFileTypes !== true) listed.push(nameInEncoding(relativePath, encoding))
        else
          listed.push(
            new Dirent({ name: nameInEncoding(name, encoding), parentPath, type }) as Dirent
          )
      }
    }
    return listed
  })
}

export async function openDirectory(
  context: FileSystemContext,
  path: PathLike,
  options: OpenDirectoryOptions = {}
): Promise<Directory> {
  const written = toPath(path)
  return await attempt({ syscall: 'opendir', path: written }, async () => {
    const { signal, recursive } = options
    const place = await resolveDirectory(context, written, signal === undefined ? {} : { signal })
    return new OpenDirectory(written, walk(context, place, { path: written, recursive, signal }))
  })
}

interface WalkOptions {
  readonly path: string
  readonly recursive: boolean | undefined
  readonly signal: AbortSignal | undefined
}

interface Pending extends ListedDirectory {
  readonly parentPath: string
  readonly prefix: string
}

/** Batches of a directory, and with `recursive` of everything below, a level at a time as Node does. */
async function* walk(
  context: FileSystemContext,
  start: Place,
  { path, recursive, signal }: WalkOptions
): AsyncGenerator<readonly Found[]> {
  const options = signal === undefined ? {} : { signal }
  const { snapshot, inode } = start
  const first = { path: start.path, snapshot, directory: inode.number }
  let level: Pending[] = [{ ...first, parentPath: path, prefix: '' }]
  while (level.length > 0) {
    const below: Pending[] = []
    for (const pending of level) {
      const { parentPath, prefix } = pending
      for await (const batch of listEntries(context, pending, options)) {
        signal?.throwIfAborted()
        yield batch.map(entry => ({ ...entry, parentPath, relativePath: prefix + entry.name }))
        if (recursive !== true) continue
        for (const entry of batch) {
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
    const { snapshot, directory } = parent
    await expectChild(snapshot, { directory, child: inode })
    return { path, snapshot, directory: inode, ...names }
  }
  const place = await resolveDirectory(context, path)
  return { path, snapshot: place.snapshot, directory: place.inode.number, ...names }
}

class OpenDirectory implements Directory {
  readonly path: string
  readonly #batches: AsyncGenerator<readonly Found[]>
  readonly #turns = new Turns()
  #batch: readonly Found[] = []
  #next = 0
  #closed = false

  constructor(path: string, batches: AsyncGenerator<readonly Found[]>) {
    this.path = path
    this.#batches = batches
  }

  read(): Promise<Dirent | null> {
    return this.#turns.take(async () => {
      this.#expectOpen('read')
      if (this.#next >= this.#batch.length) {
        const more = await this.#batches.next().catch(error => {
          throw explain(error, { syscall: 'scandir', path: this.path })
        })
        if (more.done === true) return null
        this.#batch = more.value
        this.#next = 0
      }
      return new Dirent(this.#batch[this.#next++]!)
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
