/** `unlink`, `rmdir` and `rm`. */
import { WarrenError, isWarrenError } from '../../errors.ts'
import type { InodeNumber, Transaction } from '../volume/volume.ts'
import type { FileSystemContext } from './context.ts'
import { attempt } from './failures.ts'
import type { RemoveOptions } from './file-system.ts'
import type { Keep } from './open-files.ts'
import type { PathLike } from './paths.ts'
import { joinPath, toPath } from './paths.ts'
import type { FixedPlace, NamePlace } from './resolve.ts'
import { resolveName } from './resolve.ts'

/**
 * Names removed in one transaction: what others who write have to wait for, and what is in memory
 * of a tree that is removed.
 */
const REMOVALS_MAX = 256

export async function unlink(context: FileSystemContext, path: PathLike): Promise<void> {
  const written = toPath(path)
  await attempt({ syscall: 'unlink', path: written }, async () => {
    const place = await resolveName(context, written, { follow: false })
    if (place.name === undefined) throw new WarrenError(place.isMountPoint ? 'EBUSY' : 'EISDIR')
    expectEntry(place)
    await removeName(context, place, async entry => {
      if (entry === 'directory') throw new WarrenError('EISDIR')
    })
  })
}

export async function removeDirectory(context: FileSystemContext, path: PathLike): Promise<void> {
  const written = toPath(path)
  await attempt({ syscall: 'rmdir', path: written }, async () => {
    const place = await resolveName(context, written, { follow: false })
    if (place.name === undefined) throw fixedError(place, written)
    expectEntry(place)
    if (context.mounts.namesUnder(place.path).length > 0) throw new WarrenError('ENOTEMPTY')
    await removeName(context, place, async type => {
      if (type !== 'directory') throw new WarrenError('ENOTDIR')
    })
  })
}

export async function remove(
  context: FileSystemContext,
  path: PathLike,
  options: RemoveOptions = {}
): Promise<void> {
  const written = toPath(path)
  await attempt({ syscall: 'rm', path: written }, async () => {
    try {
      // Node looks before it removes, and says so.
      const place = await attempt({ syscall: 'lstat', path: written }, async () => {
        const found = await resolveName(context, written, { follow: false })
        if (found.name !== undefined) expectEntry(found)
        return found
      })
      if (place.name === undefined) throw fixedError(place, written)
      await removeAny(context, place, options)
    } catch (error) {
      if (options.force !== true || !isWarrenError(error, 'ENOENT')) throw error
    }
  })
}

async function removeAny(
  context: FileSystemContext,
  place: NamePlace,
  { recursive, signal }: RemoveOptions
): Promise<void> {
  if (place.entry?.type !== 'directory') return await removeName(context, place)
  if (recursive !== true) throw new WarrenError('EISDIR')
  for (let done = false; !done;) {
    signal?.throwIfAborted()
    done = await context.files.removing(place.volume, keep =>
      place.volume.update(transaction => new Removal(context, transaction, keep).run(place))
    )
  }
}

/** Removes as much of a tree as one transaction may. */
class Removal {
  readonly #context: FileSystemContext
  readonly #transaction: Transaction
  readonly #keep: Keep
  #left: number = REMOVALS_MAX

  constructor(context: FileSystemContext, transaction: Transaction, keep: Keep) {
    this.#context = context
    this.#transaction = transaction
    this.#keep = keep
  }

  /** True when the name itself is gone. */
  async run({ directory, name, path }: NamePlace): Promise<boolean> {
    const entry = await this.#transaction.lookup(directory, name)
    if (entry === undefined) return true
    if (entry.type === 'directory' && !(await this.#empty(entry.inode, path))) return false
    await this.#transaction.unlink(directory, name, { keep: this.#keep })
    return true
  }

  /** Removes what is in a directory; false when there is more than may be removed now. */
  async #empty(directory: InodeNumber, path: string): Promise<boolean> {
    if (this.#context.mounts.namesUnder(path).length > 0) {
      throw new WarrenError('EBUSY', { message: `something is mounted under ${path}` })
    }
    for (;;) {
      const entries = await this.#firstEntries(directory)
      if (entries.length === 0) return true
      for (const { name, inode, type } of entries) {
        if (this.#left <= 0) return false
        if (type === 'directory' && !(await this.#empty(inode, joinPath(path, name)))) return false
        await this.#transaction.unlink(directory, name, { keep: this.#keep })
        this.#left--
      }
    }
  }

  async #firstEntries(
    directory: InodeNumber
  ): Promise<readonly { name: string; inode: InodeNumber; type: string }[]> {
    for await (const batch of this.#transaction.entries(directory)) return batch
    return []
  }
}

async function removeName(
  context: FileSystemContext,
  { volume, directory, name, mustBeDirectory }: NamePlace,
  check?: (type: string) => Promise<void>
): Promise<void> {
  await context.files.removing(volume, keep =>
    volume.update(async transaction => {
      const entry = await transaction.lookup(directory, name)
      if (entry === undefined) throw new WarrenError('ENOENT')
      if (mustBeDirectory && entry.type !== 'directory') throw new WarrenError('ENOTDIR')
      await check?.(entry.type)
      await transaction.unlink(directory, name, { keep })
    })
  )
}

function expectEntry(place: NamePlace): void {
  if (place.entry === undefined) throw new WarrenError('ENOENT')
}

/** Why a path without a last name of its own can not be removed. */
function fixedError(place: FixedPlace, path: string): WarrenError {
  if (place.isMountPoint) return new WarrenError('EBUSY')
  return new WarrenError(/(?:^|\/)\.\.\/*$/.test(path) ? 'ENOTEMPTY' : 'EINVAL')
}
