/** What a listing shows: the entries of a directory, and what is mounted under it. */
import type { StoreOptions } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import type { InodeNumber, InodeType, Snapshot } from '../volume/volume.ts'
import type { FileSystemContext } from './context.ts'
import { joinPath } from './paths.ts'

export interface ListedEntry {
  readonly name: string
  readonly type: InodeType
  /** Undefined for what is mounted: that is in another volume. */
  readonly inode?: InodeNumber
}

/** A directory in a version of a volume, and its canonical path. */
export interface ListedDirectory {
  readonly path: string
  readonly snapshot: Snapshot
  readonly directory: InodeNumber
}

/** In batches. A name that something is mounted on is shown once, as what is mounted. */
export async function* listEntries(
  context: FileSystemContext,
  { path, snapshot, directory }: ListedDirectory,
  options?: StoreOptions
): AsyncGenerator<readonly ListedEntry[]> {
  const mounted = new Set(context.mounts.namesUnder(path))
  for await (const batch of snapshot.entries(directory, options)) {
    const shown = mounted.size === 0 ? batch : batch.filter(({ name }) => !mounted.has(name))
    if (shown.length > 0) yield shown
  }
  if (mounted.size === 0) return
  yield await Promise.all(
    Array.from(mounted, async name => ({
      name,
      type: await mountedType(context, path, name)
    }))
  )
}

/** A mount that can not be reached now is still listed, as the directory that it most likely is. */
async function mountedType(
  context: FileSystemContext,
  parent: string,
  name: string
): Promise<InodeType> {
  try {
    const mounted = await context.mounts.at(joinPath(parent, name))
    if (mounted === undefined) return 'directory'
    const inode = await (await mounted.volume.snapshot()).inode(mounted.inode)
    return inode?.type ?? 'directory'
  } catch {
    return 'directory'
  }
}

/**
 * Throws `EPROTO` unless a directory says that it stands where it was found: its one parent is what
 * keeps a hostile volume from sending a walk in circles.
 */
export async function expectChild(
  snapshot: Snapshot,
  { directory, child }: { readonly directory: InodeNumber; readonly child: InodeNumber }
): Promise<void> {
  const inode = await snapshot.inode(child)
  if (inode?.type === 'directory' && inode.parent === directory) return
  throw new WarrenError('EPROTO', { message: `directory ${child} is not in ${directory}` })
}
