/** Finds the inode at a path inside one volume, by real names only: no mounts, no symlinks. */
import type { StoreOptions } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import { ROOT_INODE } from '../volume/volume.ts'
import type { InodeNumber, Volume } from '../volume/volume.ts'
import { namesOf } from './paths.ts'

/** The walk begins at `from`, the root by default. Throws `ENOENT`, and what reading the volume throws. */
export async function walkVolume(
  volume: Volume,
  path: string,
  options: StoreOptions & { readonly from?: InodeNumber } = {}
): Promise<InodeNumber> {
  const names = namesOf(path)
  let inode = options.from ?? ROOT_INODE
  if (names.length === 0) return inode
  const snapshot = await volume.snapshot(options)
  for (const name of names) {
    const entry = await snapshot.lookup(inode, name, options)
    if (entry === undefined)
      throw new WarrenError('ENOENT', { message: `in volume ${volume.id}`, path })
    inode = entry.inode
  }
  return inode
}
