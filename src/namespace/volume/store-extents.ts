/**
 * Turns a stream of bytes into stored blocks and the extents that name them.
 *
 * Three stages overlap: while one batch is being stored, the next is hashed and the one after is
 * read and cut. Memory is a handful of batches, whatever the file's size.
 */
import { pipe } from 'it-pipe'
import type { Block, BlockId, BlockStore, Chunker, StoreOptions } from '../../blocks/index.ts'
import { createBlock, inBatches, readAhead } from '../../blocks/index.ts'
import type { Extent } from './volume.ts'

/** Large enough that a batch is one write to disk, small enough that a handful is little memory. */
const BATCH_BYTES = 2 * 1024 * 1024

/** How many batches each stage may have begun and not handed on: one under way, one waiting. */
const BATCHES_AHEAD = 2

export interface ExtentStoring extends StoreOptions {
  readonly offset: number
  readonly chunker: Chunker
  /** Told of each block before it is stored. */
  readonly onBlock?: (id: BlockId) => void
  /** Stores a batch; `offsets` says where in the file each block begins. */
  readonly put: (blocks: readonly Block[], offsets: readonly number[]) => Promise<void>
}

/** Stores blocks as copies. */
export function putInto(store: Pick<BlockStore, 'putMany'>): ExtentStoring['put'] {
  return blocks => store.putMany(blocks)
}

export function storeExtents(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  storing: ExtentStoring
): AsyncIterable<readonly Extent[]> {
  const ahead = { readsMax: BATCHES_AHEAD, signal: storing.signal }
  return pipe(
    toAsync(source),
    storing.chunker,
    pieces => inBatches(pieces, BATCH_BYTES),
    pieces => readAhead(pieces, hashBatch, ahead),
    blocks => readAhead(blocks, putBatch(storing), ahead)
  )
}

function hashBatch(pieces: readonly Uint8Array[]): Promise<Block[]> {
  return Promise.all(pieces.map(piece => createBlock('raw', piece)))
}

function putBatch(
  storing: ExtentStoring
): (blocks: readonly Block[]) => Promise<readonly Extent[]> {
  let offset = storing.offset
  return async blocks => {
    storing.signal?.throwIfAborted()
    const extents = blocks.map(({ id, bytes }): Extent => {
      const extent = { offset, length: bytes.length, block: id }
      offset += bytes.length
      storing.onBlock?.(id)
      return extent
    })
    await storing.put(
      blocks,
      extents.map(extent => extent.offset)
    )
    return extents
  }
}

async function* toAsync(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
): AsyncGenerator<Uint8Array> {
  yield* source
}
