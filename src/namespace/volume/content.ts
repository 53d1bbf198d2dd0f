/** The bytes of a file's range, put together from its extents, gaps as zeros. */
import type { BlockId, BlockReader, ReaderOptions } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import type { Content, Extent, Inode, ReadRange } from './volume.ts'

/** Gaps are yielded as views of this; a sparse file costs no memory to read. */
const ZEROS: Uint8Array = new Uint8Array(64 * 1024)

/** A range up to this is read without a window: making one costs more than it gains. */
export const SHORT_BYTES_MAX: number = 512 * 1024

/** With more blocks a short range has a window all the same, which bounds what they hold in memory. */
const SHORT_BLOCKS_MAX = 16

export async function* readContent(
  reader: BlockReader,
  inode: Inode,
  open: () => Promise<Content>,
  options: ReadRange
): AsyncGenerator<Uint8Array> {
  const from = options.offset ?? 0
  const to = Math.min(inode.size, from + (options.length ?? Infinity))
  if (to <= from) return
  const content = await open()
  if ('inline' in content) {
    const bytes = content.inline.subarray(from, to)
    if (bytes.length > 0) yield bytes
    yield* zeros(to - from - bytes.length)
    return
  }
  let position = from
  const blocks =
    to - from <= SHORT_BYTES_MAX && options.keep !== false
      ? await blocksAtOnce(content.extents, reader, options)
      : blocksOf(content.extents, reader, options)
  for await (const { extent, bytes } of blocks) {
    if (bytes.length !== extent.length || extent.offset + extent.length <= position) {
      throw new WarrenError('EPROTO', { message: `a malformed extent at ${extent.offset}` })
    }
    if (extent.offset > position) {
      yield* zeros(Math.min(extent.offset, to) - position)
      position = extent.offset
    }
    const piece = bytes.subarray(position - extent.offset, to - extent.offset)
    if (piece.length > 0) yield piece
    position += piece.length
    if (position >= to) return
  }
  yield* zeros(to - position)
}

interface ExtentWithBytes {
  readonly extent: Extent
  readonly bytes: Uint8Array
}

/** The blocks of a short range: all are asked for and awaited together. */
async function blocksAtOnce(
  batches: AsyncIterable<readonly Extent[]>,
  reader: BlockReader,
  options: ReaderOptions
): Promise<Iterable<ExtentWithBytes> | AsyncIterable<ExtentWithBytes>> {
  const extents: Extent[] = []
  for await (const batch of batches) extents.push(...batch)
  if (extents.length > SHORT_BLOCKS_MAX) return blocksOf([extents], reader, options)
  return Promise.all(
    extents.map(async extent => ({ extent, bytes: await reader.get(extent.block, options) }))
  )
}

/** Pairs each extent with its block, letting the reader fetch as far ahead as it will. */
async function* blocksOf(
  batches: AsyncIterable<readonly Extent[]> | Iterable<readonly Extent[]>,
  reader: BlockReader,
  options: ReaderOptions
): AsyncGenerator<ExtentWithBytes> {
  const asked: Extent[] = []
  const ids = (async function* (): AsyncGenerator<BlockId> {
    for await (const extents of batches) {
      for (const extent of extents) {
        asked.push(extent)
        yield extent.block
      }
    }
  })()
  for await (const block of reader.getMany(ids, options)) {
    const extent = asked.shift()!
    yield { extent, bytes: block.bytes }
  }
}

function* zeros(length: number): Generator<Uint8Array> {
  for (let rest = length; rest > 0; rest -= ZEROS.length) {
    yield rest < ZEROS.length ? ZEROS.subarray(0, rest) : ZEROS
  }
}
