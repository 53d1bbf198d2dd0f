/**
 * An exported file holds the blocks it was made of. Instead of writing them to the block store as
 * well, which would write every byte twice, references say where in the file they are: from then on
 * this peer reads and serves them from there, as it does with what was imported in place.
 */
import { lstat } from 'node:fs/promises'
import { hostFileOf } from '../../blocks/disk/index.ts'
import type { Inode, Snapshot } from '../volume/volume.ts'
import type { ReferenceStore } from './import-volume.ts'

export interface ExportedFile {
  /** Absolute. */
  readonly hostPath: string
  readonly snapshot: Snapshot
  readonly inode: Inode
}

/** Call it when the file is finished: what changes it afterwards makes its references void. */
export async function keepInPlace(
  references: Pick<ReferenceStore, 'putReferences'>,
  { hostPath, snapshot, inode }: ExportedFile,
  signal: AbortSignal
): Promise<void> {
  const content = await snapshot.content(inode, { signal })
  if ('inline' in content) return
  const file = hostFileOf(await lstat(hostPath))
  for await (const extents of content.extents) {
    await references.putReferences(
      extents.map(({ block, offset, length }) => ({
        id: block,
        path: hostPath,
        offset,
        length,
        file
      })),
      { signal }
    )
  }
}
