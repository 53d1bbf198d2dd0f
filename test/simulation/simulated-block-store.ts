/** The block store of a simulated machine. */
import type { Block, BlockId, BlockStore, BlockStoreUsage } from '../../src/blocks/index.ts'
import { WarrenError } from '../../src/errors.ts'
import type { DiskProcess } from './simulated-disk.ts'
import { fullError } from './simulated-disk.ts'

interface Options {
  readonly signal?: AbortSignal
}

export class SimulatedBlockStore implements BlockStore {
  /** Told of each block that a read finds rotten. */
  onDamaged: (id: BlockId) => void = () => {}
  readonly #process: DiskProcess
  #closed = false

  constructor(process: DiskProcess) {
    this.#process = process
  }

  async get(id: BlockId, options?: Options): Promise<Uint8Array | undefined> {
    this.#check(options)
    await this.#process.read()
    const block = this.#process.disk.blocks.get(id)
    if (block === undefined) return undefined
    if (block.rot === 'hidden') {
      this.#process.disk.notice(block)
      this.onDamaged(id)
    }
    return block.rot === 'none' ? block.bytes : undefined
  }

  async has(id: BlockId, options?: Options): Promise<boolean> {
    this.#check(options)
    await this.#process.read()
    const block = this.#process.disk.blocks.get(id)
    return block !== undefined && block.rot !== 'noticed'
  }

  async putMany(blocks: readonly Block[], options?: Options): Promise<void> {
    this.#check(options)
    const { disk } = this.#process
    const isThere = ({ id }: Block): boolean => {
      const block = disk.blocks.get(id)
      return block !== undefined && block.rot !== 'noticed'
    }
    const added = blocks.filter(block => !isThere(block))
    if (added.length === 0) return
    await this.#process.write()
    for (const block of added) {
      if (isThere(block)) continue
      // What came before it is there.
      if (!disk.hasRoom(block.bytes.length)) throw fullError(`${added.length} blocks`)
      disk.put(block)
    }
  }

  async deleteMany(ids: readonly BlockId[], options?: Options): Promise<void> {
    this.#check(options)
    await this.#process.write()
    for (const id of ids) this.#process.disk.remove(id)
  }

  async *ids(options?: Options): AsyncGenerator<BlockId> {
    this.#check(options)
    for (const [id, { rot }] of this.#process.disk.blocks) {
      if (rot !== 'noticed') yield id
      this.#check(options)
    }
  }

  async sync(): Promise<void> {
    this.#check()
    const synced = this.#process.disk.beginSync()
    await this.#process.sync()
    synced()
  }

  usage(): BlockStoreUsage {
    this.#check()
    return this.#process.disk.usage()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const synced = this.#process.disk.beginSync()
    await this.#process.sync()
    synced()
  }

  #check(options?: Options): void {
    if (this.#closed) throw new WarrenError('EBADF', { message: 'the block store is closed' })
    options?.signal?.throwIfAborted()
  }
}
