/** Our block store, for Helia and everything else that takes a js-stores `Blockstore`. */
import { CID } from 'multiformats/cid'
import { verifyBlock } from './block.ts'
import type { BlockId } from './block-id.ts'
import { blockIdToBytes, createBlockId, DIGEST_BYTES } from './block-id.ts'
import type { BlockStore, StoreOptions } from './block-store.ts'
import { joinPieces } from './blockstore-pieces.ts'
import type {
  Blockstore,
  BlockstoreInputPair,
  BlockstorePair,
  BlockstorePieces
} from './interface-blockstore.ts'
import { LOCAL_READS_MAX } from './local-block-reader.ts'
import { readAhead } from './read-ahead.ts'
import { WarrenError } from '../errors.ts'

const DAG_CBOR = 0x71
const SHA2_256 = 0x12

/**
 * Keeps blocks of every codec, as long as their hash is sha2-256: those of codecs we do not use
 * (dag-pb, say) are kept as `raw` ones, which have the same bytes and the same hash, and `getAll`
 * tells them so. Putting a block under another hash throws `ENOTSUP`, bytes that do not have
 * the hash `EBADMSG`, and more than `BLOCK_BYTES_MAX` of them `EFBIG`.
 *
 * @example
 * const helia = await createHelia({ blockstore: toBlockstore(store) })
 */
export function toBlockstore(store: BlockStore): Blockstore {
  return new StoreAsBlockstore(store)
}

class StoreAsBlockstore implements Blockstore {
  readonly #store: BlockStore

  constructor(store: BlockStore) {
    this.#store = store
  }

  async has(cid: CID, options?: StoreOptions): Promise<boolean> {
    const id = idOf(cid)
    return id !== undefined && (await this.#store.has(id, options))
  }

  async put(cid: CID, pieces: BlockstorePieces, options?: StoreOptions): Promise<CID> {
    options?.signal?.throwIfAborted()
    const block = { id: storableIdOf(cid), bytes: await joinPieces(pieces, options?.signal) }
    await verifyBlock(block)
    await this.#store.putMany([block], options)
    return cid
  }

  /** One after the other: whoever reads the results may be waiting for each before giving the next. */
  async *putMany(
    source: Iterable<BlockstoreInputPair> | AsyncIterable<BlockstoreInputPair>,
    options?: StoreOptions
  ): AsyncGenerator<CID> {
    for await (const { cid, bytes } of source) yield await this.put(cid, bytes, options)
  }

  async *get(cid: CID, options?: StoreOptions): AsyncGenerator<Uint8Array> {
    yield await this.#read(cid, options)
  }

  getMany(
    source: Iterable<CID> | AsyncIterable<CID>,
    options?: StoreOptions
  ): AsyncGenerator<BlockstorePair> {
    const read = async (cid: CID): Promise<BlockstorePair> => ({
      cid,
      bytes: once(await this.#read(cid, options))
    })
    return readAhead(source, read, { readsMax: LOCAL_READS_MAX, signal: options?.signal })
  }

  async delete(cid: CID, options?: StoreOptions): Promise<void> {
    const id = idOf(cid)
    await this.#store.deleteMany(id === undefined ? [] : [id], options)
  }

  async *deleteMany(
    source: Iterable<CID> | AsyncIterable<CID>,
    options?: StoreOptions
  ): AsyncGenerator<CID> {
    for await (const cid of source) {
      await this.delete(cid, options)
      yield cid
    }
  }

  async *getAll(options?: StoreOptions): AsyncGenerator<BlockstorePair> {
    for await (const id of this.#store.ids(options)) {
      const cid = CID.decode(blockIdToBytes(id))
      yield { cid, bytes: this.get(cid, options) }
    }
  }

  async #read(cid: CID, options?: StoreOptions): Promise<Uint8Array> {
    const id = idOf(cid)
    const bytes = id === undefined ? undefined : await this.#store.get(id, options)
    if (bytes === undefined) throw new NotFoundError(`${cid.toString()} is not in the block store`)
    return bytes
  }
}

/** Not a `WarrenError`: callers of a `Blockstore` tell a missing block by this name. */
class NotFoundError extends Error {
  override readonly name = 'NotFoundError'
  readonly code = 'ERR_NOT_FOUND'
}

function idOf({ code, multihash }: CID): BlockId | undefined {
  if (multihash.code !== SHA2_256 || multihash.digest.length !== DIGEST_BYTES) return undefined
  return createBlockId(code === DAG_CBOR ? 'dag-cbor' : 'raw', multihash.digest)
}

function storableIdOf(cid: CID): BlockId {
  const id = idOf(cid)
  if (id !== undefined) return id
  const message = `${cid.toString()} is not named by sha2-256`
  throw new WarrenError('ENOTSUP', { message })
}

function* once(bytes: Uint8Array): Generator<Uint8Array> {
  yield bytes
}
