/** Walks a directory of a snapshot, parents before what is in them, in the order of the tree. */
import { WarrenError } from '../../errors.ts'
import type { EntryWithInode, Inode, Snapshot } from '../volume/volume.ts'
import { below } from './host-listing.ts'

/** Deeper than any host path can be; a hostile volume ends here. */
const DEPTH_MAX = 2_048

export type VolumeItem =
  | { readonly kind: 'entry'; readonly path: string; readonly entry: EntryWithInode }
  /** Everything below the directory came before. */
  | { readonly kind: 'end'; readonly path: string; readonly inode: Inode }

export async function* walkSnapshot(
  snapshot: Snapshot,
  directory: Inode,
  options: { readonly signal?: AbortSignal },
  path = '',
  depth = 0
): AsyncGenerator<VolumeItem> {
  if (depth > DEPTH_MAX) throw new WarrenError('ENAMETOOLONG', { message: 'too deep', path })
  // Subdirectories follow their directory's entries, the order in which imports number them.
  const subdirectories: EntryWithInode[] = []
  for await (const entries of snapshot.entriesWithInodes(directory.number, options)) {
    options.signal?.throwIfAborted()
    for (const entry of entries) {
      yield { kind: 'entry', path: below(path, entry.name), entry }
      if (entry.type === 'directory') subdirectories.push(entry)
    }
  }
  for (const { name, attributes } of subdirectories) {
    yield* walkSnapshot(snapshot, attributes, options, below(path, name), depth + 1)
  }
  yield { kind: 'end', path, inode: directory }
}
