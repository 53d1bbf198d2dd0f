/**
 * Turns a stream of bytes into stored blocks and the extents that name them.
 *
 * Three stages overlap: while one batch is being stored, the next is hashed and the one after is
 * read and cut. Memory is a handful of batches, whatever the file's size.
 */
import { pipe } from 'it-pipe'
import type {
  Block,
  BlockEncoding,
  BlockId,
  BlockStore,
  Chunker,
  StoreOptions
} from '../../blocks/index.ts'
import { createBlock, inBatches, readAhead } from '../../blocks/index.ts'
import type { Extent } from './volume.ts'

/** Large enough that a batch is one write to disk, small enough that a handful is little memory. */
const BATCH_BYTES = 2 * 1024 * 1024

/** How many batches each stage may have begun and not handed on: one under way, one waiting. */
const BATCHES_AHEAD = 2

/** Blocks that follow each other in a file. */
export interface BlockRun {
  readonly offset: number
  readonly blocks: readonly Block[]
  /** Bytes of the file in each block, where blocks hold them encoded. Default: the bytes of the block. */
  readonly lengths?: readonly number[]
}

export interface BlockStoring extends StoreOptions {
  /** Told of each block before it is stored. */
  readonly onBlock?: (id: BlockId) => void
  readonly put: (run: BlockRun) => Promise<void>
}

export interface ExtentStoring extends BlockStoring {
  readonly offset: number
  readonly chunker: Chunker
  /** How the pieces are stored. Default: as they are. */
  readonly encoding?: BlockEncoding | undefined
}

/** Stores blocks as copies. */
export function putInto(store: Pick<BlockStore, 'putMany'>): BlockStoring['put'] {
  return ({ blocks }) => store.putMany(blocks)
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
    pieces => readAhead(pieces, hashBatch(storing), ahead),
    runs => storeBlocks(runs, storing)
  )
}

/** The last stage alone, for blocks that were cut and hashed elsewhere. */
export function storeBlocks(
  runs: AsyncIterable<BlockRun>,
  storing: BlockStoring
): AsyncIterable<readonly Extent[]> {
  return readAhead(runs, run => putRun(run, storing), {
    readsMax: BATCHES_AHEAD,
    signal: storing.signal
  })
}

function hashBatch({
  offset: begin,
  encoding
}: ExtentStoring): (pieces: readonly Uint8Array[]) => Promise<BlockRun> {
  let next = begin
  const createOne =
    encoding === undefined
      ? (piece: Uint8Array) => createBlock('raw', piece)
      : async (piece: Uint8Array) => createBlock('raw', await encoding.encode('raw', piece))
  return async pieces => {
    const offset = next
    for (const { length } of pieces) next += length
    const blocks = await Promise.all(pieces.map(createOne))
    const run = { offset, blocks }
    return encoding === undefined ? run : { ...run, lengths: pieces.map(({ length }) => length) }
  }
}

async function putRun(run: BlockRun, storing: BlockStoring): Promise<readonly Extent[]> {
  storing.signal?.throwIfAborted()
  let { offset } = run
  const extents = run.blocks.map(({ id, bytes }, index): Extent => {
    const length = run.lengths?.[index] ?? bytes.length
    const extent = { offset, length, block: id }
    offset += length
    storing.onBlock?.(id)
    return extent
  })
  await storing.put(run)
  return extents
}

async function* toAsync(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
): AsyncGenerator<Uint8Array> {
  yield* source
}
