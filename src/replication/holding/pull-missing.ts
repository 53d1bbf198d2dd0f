/**
 * Gets the blocks that are wanted and not here, nodes and data alike, in the order of the tree, as
 * far as there is room for them.
 */
import type { BlockId, CollectableBlockStore } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import type { Arrivals } from './arrivals.ts'
import type { HeldBlocks } from './held-blocks.ts'
import { BLOCK_BYTES_GUESS, FAILURES_MAX } from './limits.ts'
import type { Pace } from './pace.ts'
import { pullBlocks } from './pull-blocks.ts'
import type { Wanted } from './pull-blocks.ts'

export interface PullMissingComponents {
  readonly blocks: HeldBlocks
  readonly arrivals: Arrivals
  /** Gets a block of data; nodes everybody has. */
  readonly get: (wanted: Wanted, options: { readonly signal: AbortSignal }) => Promise<Uint8Array>
  readonly store: Pick<CollectableBlockStore, 'touch'>
  readonly pace: Pace
  readonly onFailure: (id: BlockId, error: unknown) => void
}

export interface RoomOptions {
  readonly pledgeBytes: number
  readonly blocksMax: number
  /** The root of the version that is let go of when this one is whole. */
  readonly former: number | undefined
  /** More of a version that is held already is got: what fits helps, also when it is not all. */
  readonly isRepair: boolean
}

export class PullMissing {
  readonly #components: PullMissingComponents
  /** Where to begin: what is before was asked for in vain. */
  #from = 0

  constructor(components: PullMissingComponents) {
    this.#components = components
  }

  /** Before blocks are got: a collection under way may be about to remove them. */
  async prepare(wanted: readonly Wanted[], signal: AbortSignal): Promise<void> {
    const { store, pace } = this.#components
    await pace(
      wanted.reduce((sum, { bytes }) => sum + bytes, 0),
      { signal }
    )
    await store.touch(wanted.map(({ id }) => id))
  }

  /**
   * Throws `EDQUOT` when it is certain that a version that is being loaded has no room for a node.
   * Until it is loaded nobody knows what it has in common with the former one.
   */
  requireRoughRoom(
    { pledgeBytes, blocksMax, former, isRepair }: RoomOptions,
    addedBytes: number
  ): void {
    const { blocks } = this.#components
    if (blocks.count > blocksMax) throw tooMany(blocks.count, blocksMax)
    if (isRepair) return
    // Of data we may take less; nodes everybody has to have.
    const bytes = blocks.heldBytes + addedBytes
    if (bytes > (former === undefined ? 1 : 2) * pledgeBytes) throw tooLarge(bytes, pledgeBytes)
  }

  /**
   * Throws `EDQUOT` when not all has room, what the first failed with that could not be had, and the
   * signal's reason.
   */
  async pull(options: RoomOptions & { readonly signal: AbortSignal }): Promise<void> {
    const { blocks, arrivals, get } = this.#components
    const { signal, former, pledgeBytes } = options
    if (blocks.wanted === 0) return
    const roomBytes = pledgeBytes + this.#requireRoom(options)
    const order = new MissingOrder(blocks, this.#from, roomBytes)
    const failed: { readonly block: number; readonly error: unknown }[] = []
    let inVain = 0
    await pullBlocks({
      next: () => (inVain >= FAILURES_MAX ? undefined : order.next()),
      prepare: wanted => this.prepare(wanted, signal),
      get: wanted => get(wanted, { signal }),
      onBlock: async (wanted, bytes) => {
        inVain = 0
        order.came(wanted, bytes.length)
        await arrivals.add(wanted.block, bytes.length)
      },
      onFailure: (wanted, error) => {
        signal.throwIfAborted()
        inVain++
        order.came(wanted)
        failed.push({ block: wanted.block, error })
        this.#components.onFailure(wanted.id, error)
      }
    })
    this.#from = inVain >= FAILURES_MAX ? order.position : 0
    if (order.isFull) throw tooLarge(blocks.heldBytes + blocks.wantedBytes, pledgeBytes)
    const first = failed[0]
    if (first === undefined) return
    // What only the former version has is not needed any more.
    const excused = former === undefined ? undefined : blocks.onlyBelow(former)
    if (!failed.every(({ block }) => excused?.has(block) === true)) throw first.error
  }

  /** Bytes beyond the pledge that may be here until the former version is let go of. Throws `EDQUOT` unless the new one fits as a whole. */
  #requireRoom({ pledgeBytes, former, isRepair }: RoomOptions): number {
    const { blocks } = this.#components
    const bytes = blocks.heldBytes + blocks.wantedBytes
    if (isRepair || bytes <= pledgeBytes) return 0
    let formerBytes = 0
    if (former !== undefined)
      for (const block of blocks.onlyBelow(former)) formerBytes += blocks.countedBytesOf(block)
    if (bytes - formerBytes > pledgeBytes) throw tooLarge(bytes - formerBytes, pledgeBytes)
    return formerBytes
  }
}

/** Each wanted block once, by number, which is about the order in which the tree was walked. */
class MissingOrder {
  readonly #blocks: HeldBlocks
  readonly #roomBytes: number
  #left: number
  /** Of what was given out and has not come. */
  #bytes = 0
  /** Of blocks of which nobody says how large they are, as far as they have come. */
  #meanBytes = BLOCK_BYTES_GUESS
  #unsized = 0
  position: number
  /** Something was left out because there is no room for it. */
  isFull = false

  constructor(blocks: HeldBlocks, from: number, roomBytes: number) {
    this.#blocks = blocks
    this.#roomBytes = roomBytes
    this.#left = blocks.end
    this.position = from
  }

  next(): Wanted | undefined {
    const blocks = this.#blocks
    this.isFull ||= blocks.heldBytes > this.#roomBytes
    while (this.#left > 0 && !this.isFull) {
      const block = this.position >= blocks.end ? 0 : this.position
      if (blocks.isWanted(block)) {
        const bytes = blocks.sizeOf(block) || this.#meanBytes
        const isOver = blocks.heldBytes + this.#bytes + bytes > this.#roomBytes
        // What is on its way may be smaller than was thought.
        if (isOver && this.#bytes > 0) return undefined
        this.isFull = isOver
        if (isOver) return undefined
        this.#bytes += bytes
        this.#passed(block)
        return { block, id: blocks.idOf(block), bytes }
      }
      this.#passed(block)
    }
    return undefined
  }

  /** It is not on its way any more; with how large it is, if it came. */
  came({ block, bytes }: Wanted, size?: number): void {
    this.#bytes -= bytes
    if (size === undefined || this.#blocks.sizeOf(block) !== 0) return
    this.#unsized++
    this.#meanBytes += (size - this.#meanBytes) / this.#unsized
  }

  #passed(block: number): void {
    this.position = block + 1
    this.#left--
  }
}

export function tooLarge(bytes: number, pledgeBytes: number): WarrenError {
  return new WarrenError('EDQUOT', { message: `a part of ${bytes} bytes, ${pledgeBytes} pledged` })
}

function tooMany(count: number, blocksMax: number): WarrenError {
  return new WarrenError('EDQUOT', { message: `${count} blocks known, ${blocksMax} at most` })
}
