/** What a listing shows: the entries of a directory, and what is mounted under it. */
import type { StoreOptions } from '../../blocks/index.ts'
import type { InodeType } from '../volume/volume.ts'
import type { FileSystemContext } from './context.ts'
import { joinPath } from './paths.ts'
import type { Place } from './resolve.ts'

export interface ListedEntry {
  readonly name: string
  readonly type: InodeType
}

/** In batches. A name that something is mounted on is shown once, as what is mounted. */
export async function* listEntries(
  context: FileSystemContext,
  place: Pick<Place, 'path' | 'snapshot' | 'inode'>,
  options?: StoreOptions
): AsyncGenerator<readonly ListedEntry[]> {
  const mounted = new Set(context.mounts.namesUnder(place.path))
  for await (const batch of place.snapshot.entries(place.inode.number, options)) {
    const shown = mounted.size === 0 ? batch : batch.filter(({ name }) => !mounted.has(name))
    if (shown.length > 0) yield shown
  }
  if (mounted.size === 0) return
  yield await Promise.all(
    Array.from(mounted, async name => ({
      name,
      type: await mountedType(context, place.path, name)
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
