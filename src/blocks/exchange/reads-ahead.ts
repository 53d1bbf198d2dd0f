/**
 * Reads blocks from the store before their turn to be sent, so that disk and network overlap, in
 * memory that all answers share: a hostile peer that asks for much and takes nothing costs the
 * other peers their read-ahead, but never their next block.
 */
import { BLOCK_BYTES_MAX } from '../block.ts'
import type { BlockId } from '../block-id.ts'
import type { BlockStore } from '../block-store.ts'
import { BLOCK_BYTES_GUESS, NODES_AHEAD_MAX, READ_AHEAD_BYTES, READS_AHEAD_MAX } from './limits.ts'

/** What is going to be sent, in order. */
export interface Upcoming {
  upcoming(count: number, nodesMax: number): readonly BlockId[]
}

/** Bytes that may be held, over everybody who holds some. */
export class ByteBudget {
  #left: number

  constructor(bytes: number) {
    this.#left = bytes
  }

  take(bytes: number): boolean {
    if (bytes > this.#left) return false
    this.#left -= bytes
    return true
  }

  give(bytes: number): void {
    this.#left += bytes
  }
}

export interface BlockRead {
  /** Settled means that `bytes` is final: no need to wait. */
  settled: boolean
  /** Never rejects. */
  readonly done: Promise<void>
  /** `undefined` also for a block that cannot be read: to others it is as good as missing. */
  bytes: Uint8Array | undefined
}

interface OwnRead extends BlockRead {
  done: Promise<void>
  /** What it holds of the shared budget; the size is not known before the block is here. */
  charged: number
  taken: boolean
}

export interface ReadsAheadOptions {
  readonly signal: AbortSignal
  /** Blocks that are as good as absent. */
  readonly mayRead: (id: BlockId) => boolean
}

/** How fast a large block is forgotten: after some thirty smaller ones. */
const LARGEST_DECAY = 0.9

export class ReadsAhead {
  readonly #store: Pick<BlockStore, 'get'>
  readonly #budget: ByteBudget
  readonly #options: ReadsAheadOptions
  readonly #reads = new Map<BlockId, OwnRead>()
  #pending = 0
  #readyBytes = 0
  /** The largest block of late: what a read under way is expected to bring. */
  #largest = BLOCK_BYTES_GUESS
  #refillAt = 0

  constructor(store: Pick<BlockStore, 'get'>, budget: ByteBudget, options: ReadsAheadOptions) {
    this.#store = store
    this.#budget = budget
    this.#options = options
  }

  /** The read of this block: the one made ahead, or one that begins now. The caller owns its bytes. */
  take(id: BlockId): BlockRead {
    const read = this.#reads.get(id) ?? this.#begin(id, 0)
    this.#reads.delete(id)
    read.taken = true
    if (read.settled) {
      this.#readyBytes -= read.bytes?.length ?? 0
      this.#release(read)
    }
    return read
  }

  /** Begins to read what comes next, as far as the limits allow. */
  fill(next: Upcoming): void {
    if (this.#reads.size > this.#refillAt || !this.#hasRoom()) return
    for (const id of next.upcoming(READS_AHEAD_MAX, NODES_AHEAD_MAX)) {
      if (this.#reads.has(id)) continue
      if (!this.#hasRoom() || !this.#budget.take(BLOCK_BYTES_MAX)) break
      this.#reads.set(id, this.#begin(id, BLOCK_BYTES_MAX))
    }
    this.#refillAt = this.#reads.size >> 1
  }

  /** Gives the memory back; reads under way give theirs when they end. */
  close(): void {
    for (const id of this.#reads.keys()) this.take(id)
  }

  #hasRoom(): boolean {
    const bytes = this.#readyBytes + (this.#pending + 1) * this.#largest
    return this.#pending < READS_AHEAD_MAX && bytes <= READ_AHEAD_BYTES
  }

  #begin(id: BlockId, charged: number): OwnRead {
    const read: OwnRead = {
      settled: false,
      done: Promise.resolve(),
      bytes: undefined,
      charged,
      taken: false
    }
    if (!this.#options.mayRead(id)) {
      this.#settle(read, undefined)
      return read
    }
    this.#pending++
    const settle = (bytes: Uint8Array | undefined): void => {
      this.#pending--
      this.#settle(read, bytes)
    }
    const { signal } = this.#options
    read.done = this.#store.get(id, { signal }).then(settle, () => settle(undefined))
    return read
  }

  #settle(read: OwnRead, bytes: Uint8Array | undefined): void {
    read.settled = true
    read.bytes = bytes
    const length = bytes?.length ?? 0
    this.#largest = Math.max(length, this.#largest * LARGEST_DECAY, BLOCK_BYTES_GUESS / 16)
    if (read.taken) return this.#release(read)
    if (read.charged === 0) return
    this.#readyBytes += length
    this.#budget.give(read.charged - length)
    read.charged = length
  }

  #release(read: OwnRead): void {
    this.#budget.give(read.charged)
    read.charged = 0
  }
}
