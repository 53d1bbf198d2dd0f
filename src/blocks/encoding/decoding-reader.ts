/** A reader that hands out contents: what stands under `bytes` is no longer what the id is the hash of. */
import type { Block } from '../block.ts'
import { codecOf } from '../block-id.ts'
import type { BlockId } from '../block-id.ts'
import type { BlockReader, GetOptions, ReaderOptions } from '../block-store.ts'
import type { Sealing } from './sealing.ts'

export function createDecodingReader(
  reader: BlockReader,
  sealing: Pick<Sealing, 'isEmpty' | 'decode'>
): BlockReader {
  return {
    async get(id: BlockId, options: GetOptions = {}): Promise<Uint8Array> {
      const { descent: _, ...others } = options
      // Keys hold names, which nobody else is to read.
      const bytes = await reader.get(id, sealing.isEmpty ? options : others)
      return sealing.decode(codecOf(id), bytes)
    },
    getMany(
      ids: Iterable<BlockId> | AsyncIterable<BlockId>,
      options?: ReaderOptions
    ): AsyncIterable<Block> {
      const blocks = reader.getMany(ids, options)
      return sealing.isEmpty ? blocks : decodeEach(blocks, sealing)
    }
  }
}

async function* decodeEach(
  blocks: AsyncIterable<Block>,
  sealing: Pick<Sealing, 'decode'>
): AsyncGenerator<Block> {
  for await (const { id, bytes } of blocks) {
    yield { id, bytes: await sealing.decode(codecOf(id), bytes) }
  }
}
