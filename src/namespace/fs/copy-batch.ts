/** Files that `cp` copies together, in one transaction. */
import type { Inode, Snapshot } from '../volume/volume.ts'

/** Files copied in one transaction, and how many bytes they may have together: what others wait for. */
const BATCH_FILES_MAX = 256
const BATCH_BYTES_MAX = 1024 * 1024 * 1024

export interface Copied {
  readonly name: string
  readonly inode: Inode
  /** Where the copy of a symbolic link points. */
  readonly linkTo?: string
}

/** Files of one directory, to be copied in one transaction. */
export class Batch {
  #files: Copied[] = []
  #bytes = 0

  get isFull(): boolean {
    return this.#files.length >= BATCH_FILES_MAX || this.#bytes >= BATCH_BYTES_MAX
  }

  add(file: Copied): void {
    this.#files.push(file)
    this.#bytes += file.inode.size
  }

  take(): Copied[] {
    const files = this.#files
    this.#files = []
    this.#bytes = 0
    return files
  }
}

/** The content of the files whose content stands in the tree. */
export async function inlineContents(
  snapshot: Snapshot,
  files: readonly Copied[]
): Promise<Map<Copied, Uint8Array>> {
  const contents = new Map<Copied, Uint8Array>()
  for (const file of files) {
    if (file.inode.type !== 'file') continue
    const content = await snapshot.content(file.inode)
    if ('inline' in content) contents.set(file, content.inline)
  }
  return contents
}
