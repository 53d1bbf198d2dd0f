/**
 * Attributes of listed entries as `lstat` would tell them now: a volume of our own may have changed
 * since its names were listed, and files that are open here may have bytes that it does not.
 */
import type { StoreOptions } from '../../blocks/index.ts'
import { isWarrenError } from '../../errors.ts'
import type { EntryToShow, Inode, InodeNumber, Snapshot, Volume } from '../volume/volume.ts'
import type { FileSystemContext } from './context.ts'
import type { OpenFile } from './open-file.ts'

export interface ListedVersion {
  readonly volume: Volume
  readonly snapshot: Snapshot
}

/** What was removed meanwhile is shown as it was listed. */
export async function attributesNow(
  context: FileSystemContext,
  { volume, snapshot }: ListedVersion,
  entries: readonly EntryToShow[],
  options?: StoreOptions
): Promise<readonly EntryToShow[]> {
  if (!volume.writable) return entries
  // Before the version is taken: what is stored in between is open no more, and in that version.
  const files = context.files.isAnyOpen(volume)
    ? entries.map(entry => context.files.find(volume, entry.inode))
    : []
  const now = await volume.snapshot(options)
  const isSame = now.tree === snapshot.tree
  if (isSame && files.length === 0) return entries
  const attributes = entries.map(entry => entry.attributes)
  if (!isSame) await replace(attributes, now, options)
  for (const [index, file] of files.entries()) {
    if (file !== undefined) attributes[index] = (await viewed(file, options)) ?? attributes[index]
  }
  return entries.map((entry, index) => ({ ...entry, attributes: attributes[index] }))
}

/** Replaces attributes by those of a newer version, where that has the inode. */
async function replace(
  listed: (Inode | undefined)[],
  now: Snapshot,
  options: StoreOptions | undefined
): Promise<void> {
  const numbers = listed.flatMap(inode => (inode === undefined ? [] : [inode.number]))
  const ascending = [...new Set(numbers)].sort((a, b) => a - b)
  const found = await now.inodes(ascending, options)
  const newest = new Map<InodeNumber, Inode | undefined>(
    ascending.map((number, index) => [number, found[index]])
  )
  for (const [index, inode] of listed.entries()) {
    if (inode !== undefined) listed[index] = newest.get(inode.number) ?? inode
  }
}

async function viewed(
  file: OpenFile,
  options: StoreOptions | undefined
): Promise<Inode | undefined> {
  try {
    return (await file.view(options)).inode
  } catch (error) {
    if (isWarrenError(error, 'ESTALE')) return undefined
    throw error
  }
}
