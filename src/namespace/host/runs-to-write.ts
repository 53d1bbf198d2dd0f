/** Finds what of a file on the host is not as it is in a volume. */
import type { FileHandle } from 'node:fs/promises'
import { createBlock, readAhead } from '../../blocks/index.ts'
import type { BlockEncoding } from '../../blocks/index.ts'
import type { Extent, Inode, Snapshot } from '../volume/volume.ts'

export interface Run {
  readonly offset: number
  readonly length: number
}

/** Between two runs nothing is fetched ahead, so they are long; a file that is there is compared up to here before what it lacks is fetched. */
const RUN_BYTES_MAX = 512 * 1024 * 1024

/** Blocks of the existing file that are read and hashed at once. */
const COMPARED_AT_ONCE = 8

export interface ExistingFile {
  readonly file: FileHandle
  /** 0 for a new one. */
  readonly size: number
}

/** A file of a volume. */
export interface FileInVolume {
  readonly snapshot: Snapshot
  readonly inode: Inode
  /** How its volume stores blocks. Undefined: as they are. */
  readonly encoding: BlockEncoding | undefined
}

export interface CompareOptions {
  readonly signal: AbortSignal
  /** Told of bytes that are there already. */
  readonly onEqual: (bytes: number) => void
}

/** Ascending. In a new file a gap stays a hole; in an old one, what is in its place must become zeros. */
export async function* runsToWrite(
  existing: ExistingFile,
  { snapshot, inode, encoding }: FileInVolume,
  { signal, onEqual }: CompareOptions
): AsyncGenerator<Run> {
  const content = await snapshot.content(inode, { signal })
  if ('inline' in content) {
    yield { offset: 0, length: inode.size }
    return
  }
  const join = new RunJoin()
  let end = 0
  const compare = async (extent: Extent): Promise<{ extent: Extent; equal: boolean }> => ({
    extent,
    equal: await isThere(existing, extent, encoding)
  })
  const ahead = { readsMax: COMPARED_AT_ONCE, signal }
  for await (const { extent, equal } of readAhead(each(content.extents), compare, ahead)) {
    const gap = Math.min(extent.offset, existing.size) - end
    if (gap > 0) yield* join.add({ offset: end, length: gap })
    end = Math.max(end, extent.offset + extent.length)
    if (equal) onEqual(extent.length)
    else yield* join.add(extent)
  }
  const tail = Math.min(inode.size, existing.size) - end
  if (tail > 0) yield* join.add({ offset: end, length: tail })
  yield* join.rest()
}

/** Makes one run of neighbours. */
class RunJoin {
  #run: Run | undefined;

  *add({ offset, length }: Run): Generator<Run> {
    const run = this.#run
    const joins = run !== undefined && run.offset + run.length === offset
    if (joins && run.length + length <= RUN_BYTES_MAX) {
      this.#run = { offset: run.offset, length: run.length + length }
      return
    }
    yield* this.rest()
    this.#run = { offset, length }
  }

  *rest(): Generator<Run> {
    if (this.#run !== undefined) yield this.#run
    this.#run = undefined
  }
}

async function isThere(
  { file, size }: ExistingFile,
  extent: Extent,
  encoding: BlockEncoding | undefined
): Promise<boolean> {
  if (extent.offset + extent.length > size) return false
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(extent.length).buffer)
  const { bytesRead } = await file.read(bytes, 0, extent.length, extent.offset)
  if (bytesRead !== extent.length) return false
  // Equal content is encoded equally; where it was not, it is written once more.
  const encoded = encoding === undefined ? bytes : await encoding.encode('raw', bytes)
  return (await createBlock('raw', encoded)).id === extent.block
}

async function* each(batches: AsyncIterable<readonly Extent[]>): AsyncGenerator<Extent> {
  for await (const batch of batches) yield* batch
}
