/** Reads blocks that are on this machine, for everything that takes a `BlockReader`. */
import type { Block } from './block.ts'
import type { BlockId } from './block-id.ts'
import type { BlockReader, BlockStore, StoreOptions } from './block-store.ts'
import { readAhead } from './read-ahead.ts'
import { WarrenError } from '../errors.ts'

/**
 * How many blocks `getMany` reads ahead: enough to keep a disk and the hashing threads busy, and
 * 16 MiB at most, with blocks of the largest size.
 */
export const LOCAL_READS_MAX: number = 16

/** A reader of one store alone: what is not in the store is unreachable. */
export function createLocalReader(store: Pick<BlockStore, 'get'>): BlockReader {
  const get = async (id: BlockId, options?: StoreOptions): Promise<Uint8Array> => {
    const bytes = await store.get(id, options)
    if (bytes === undefined) {
      throw new WarrenError('EHOSTUNREACH', { message: `block ${id} is not in the local store` })
    }
    return bytes
  }
  const getMany = (
    ids: Iterable<BlockId> | AsyncIterable<BlockId>,
    options?: StoreOptions
  ): AsyncIterable<Block> => {
    const read = async (id: BlockId): Promise<Block> => ({ id, bytes: await get(id, options) })
    return readAhead(ids, read, { readsMax: LOCAL_READS_MAX, signal: options?.signal })
  }
  return { get, getMany }
}
