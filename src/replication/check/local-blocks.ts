/** The blocks of this machine as a check sees them, and where they are had from when it repairs. */
import { codecOf, isBlock } from '../../blocks/index.ts'
import type { BlockEncoding, BlockId, BlockReader, BlockStore } from '../../blocks/index.ts'
import { isWarrenError } from '../../errors.ts'
import { FAILURES_MAX } from './check-limits.ts'

export interface LocalBlocksComponents {
  readonly store: Pick<BlockStore, 'get' | 'has' | 'putMany'>
  /** Finds blocks at other holders; they are as they are stored. */
  readonly reader: Pick<BlockReader, 'get'>
  /** How the volume's blocks are stored, when it is sealed. */
  readonly encoding?: BlockEncoding | undefined
}

export interface LookedAt {
  /** As it was found. */
  readonly state: 'whole' | 'missing' | 'damaged'
  readonly repaired: boolean
  /** Verified and as stored; undefined when it could not be had. */
  readonly bytes: Uint8Array | undefined
}

export class LocalBlocks {
  readonly #components: LocalBlocksComponents
  readonly #repair: boolean
  readonly #signal: AbortSignal | undefined
  #failures = 0

  constructor(
    components: LocalBlocksComponents,
    options: { readonly repair: boolean; readonly signal: AbortSignal | undefined }
  ) {
    this.#components = components
    this.#repair = options.repair
    this.#signal = options.signal
  }

  /** Reads a block, and gets it from elsewhere when it is not whole and that is wanted. */
  async look(id: BlockId): Promise<LookedAt> {
    const { store } = this.#components
    const had = await store.has(id)
    const bytes = await store.get(id)
    if (bytes !== undefined) return { state: 'whole', repaired: false, bytes }
    return this.#mend(id, had ? 'damaged' : 'missing')
  }

  /** The same without reading what is here. */
  async lookFor(id: BlockId): Promise<LookedAt> {
    if (!(await this.#components.store.has(id))) return this.#mend(id, 'missing')
    return { state: 'whole', repaired: false, bytes: undefined }
  }

  /** What is in the block. Throws what the encoding does for bytes that it did not make. */
  async decode(id: BlockId, bytes: Uint8Array): Promise<Uint8Array> {
    const { encoding } = this.#components
    return encoding === undefined ? bytes : encoding.decode(codecOf(id), bytes)
  }

  async #mend(id: BlockId, state: 'missing' | 'damaged'): Promise<LookedAt> {
    const { store } = this.#components
    const bytes = this.#repair ? await this.#fetch(id) : undefined
    if (bytes === undefined) return { state, repaired: false, bytes }
    // What cannot be kept, because the disk is full say, can be checked all the same.
    const repaired = await ignoringErrors(async () => {
      await store.putMany([{ id, bytes }])
      return (await store.get(id)) !== undefined
    })
    return { state, repaired: repaired ?? false, bytes }
  }

  async #fetch(id: BlockId): Promise<Uint8Array | undefined> {
    const signal = this.#signal
    if (this.#failures >= FAILURES_MAX) return undefined
    const bytes = await ignoringErrors(() =>
      this.#components.reader.get(id, signal === undefined ? {} : { signal })
    )
    signal?.throwIfAborted()
    const good = bytes !== undefined && (await isBlock({ id, bytes }))
    this.#failures = good ? 0 : this.#failures + 1
    return good ? bytes : undefined
  }
}

/** Undefined when it failed as it may: nobody has it, or it cannot be kept. */
async function ignoringErrors<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work()
  } catch (error) {
    if (isWarrenError(error) || (error instanceof Error && error.name === 'AbortError')) {
      return undefined
    }
    throw error
  }
}
