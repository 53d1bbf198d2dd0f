/**
 * Yields blocks in the order asked while those that follow are fetched ahead, in a bounded number
 * of bytes. The sizes of blocks are not known before they arrive, so what is asked for ahead is
 * reckoned with the size of those before; should more arrive than fits, it is let go again and read
 * from the local store when its turn comes.
 */
import type { Block } from '../block.ts'
import type { BlockId } from '../block-id.ts'
import type { Clock } from '../../peer/index.ts'
import type { Lookup } from './local-first.ts'
import { WINDOW_BLOCKS_MAX } from './limits.ts'

export interface OrderedWindowComponents {
  readonly clock: Clock
  /** Begins to get a block. */
  readonly want: (lookup: Lookup) => void
  /** Puts a block where it can be had again: it came too early to be held here. */
  readonly keep: (block: Block) => void
  /** Forgets about a block that was wanted. */
  readonly cancel: (lookup: Lookup) => void
  /** What a block is expected to have. */
  readonly blockBytes: () => number
}

/** A block to be got, or one that is here already and only has to wait for its turn. */
export type WindowItem = BlockId | Block

export interface OrderedWindowOptions {
  readonly windowBytes: number
  /** Whether the blocks have to be kept in the local store. */
  readonly keep: boolean
  readonly signal?: AbortSignal | undefined
}

/** Ids of a slow source are not held back longer than this for the sake of larger wants. */
const GATHER_MS = 1

class Slot implements Lookup {
  readonly id: BlockId
  readonly keep: boolean
  state: 'waiting' | 'here' | 'let go' | 'failed' = 'waiting'
  bytes: Uint8Array | undefined
  error: unknown
  cancelled = false
  readonly #window: OrderedWindow

  constructor(id: BlockId, window: OrderedWindow) {
    this.id = id
    this.keep = window.keep
    this.#window = window
  }

  take(bytes: Uint8Array): void {
    this.#window.arrived(this, bytes)
  }

  fail(error: unknown): void {
    this.state = 'failed'
    this.error = error
    this.#window.settled(this)
  }
}

export class OrderedWindow {
  readonly keep: boolean
  readonly #components: OrderedWindowComponents
  readonly #windowBytes: number
  readonly #signal: AbortSignal | undefined
  readonly #items: Iterator<WindowItem> | AsyncIterator<WindowItem>
  #slots: Slot[] = []
  /** Where the head is in `#slots`; everything before was yielded. */
  #head = 0
  /** Admitted, and not yet handed on to be fetched. */
  #fresh: Slot[] = []
  #heldBytes = 0
  #waiting = 0
  /** How many blocks came too early to be held. */
  #letGo = 0
  #pumping = false
  #ended = false
  #closed = false
  #wake: (() => void) | undefined
  #cancelGather: (() => void) | undefined

  constructor(
    components: OrderedWindowComponents,
    items: Iterable<WindowItem> | AsyncIterable<WindowItem>,
    options: OrderedWindowOptions
  ) {
    this.#components = components
    this.keep = options.keep
    this.#windowBytes = options.windowBytes
    this.#signal = options.signal
    this.#items =
      Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Block, void, undefined> {
    const wake = (): void => this.#wake?.()
    this.#signal?.addEventListener('abort', wake)
    try {
      while (true) {
        this.#signal?.throwIfAborted()
        if (this.#shouldPump()) void this.#pump()
        const head = this.#slots[this.#head]
        if (head === undefined) {
          if (this.#ended) return
          await this.#change()
        } else if (head.state === 'here') {
          yield this.#shift(head)
        } else if (head.state === 'failed') {
          throw head.error
        } else {
          if (head.state === 'let go') this.#wantAgain(head)
          await this.#change()
        }
      }
    } finally {
      this.#signal?.removeEventListener('abort', wake)
      this.#close()
    }
  }

  /** A block is here. Called by its slot. */
  arrived(slot: Slot, bytes: Uint8Array): void {
    const isHead = this.#slots[this.#head] === slot
    if (isHead || this.#heldBytes + bytes.length <= this.#windowBytes) {
      slot.state = 'here'
      slot.bytes = bytes
      this.#heldBytes += bytes.length
    } else {
      slot.state = 'let go'
      this.#letGo++
      if (!this.keep) this.#components.keep({ id: slot.id, bytes })
    }
    this.settled(slot)
  }

  settled(slot: Slot): void {
    this.#waiting--
    if (this.#slots[this.#head] === slot) this.#wake?.()
  }

  #shift(head: Slot): Block {
    const bytes = head.bytes!
    this.#heldBytes -= bytes.length
    // The slot stays in the list for a while, and must not keep what the caller has.
    head.bytes = undefined
    this.#head++
    if (this.#head >= 1024) {
      this.#slots = this.#slots.slice(this.#head)
      this.#head = 0
    }
    return { id: head.id, bytes }
  }

  #wantAgain(head: Slot): void {
    head.state = 'waiting'
    this.#letGo--
    this.#waiting++
    this.#components.want(head)
  }

  async #change(): Promise<void> {
    await new Promise<void>(resolve => (this.#wake = resolve))
    this.#wake = undefined
  }

  #roomBytes(): number {
    if (this.#slots.length - this.#head >= WINDOW_BLOCKS_MAX) return 0
    // What was let go takes no memory, but says that we are too far ahead.
    const ahead = (this.#waiting + this.#letGo) * this.#components.blockBytes()
    return this.#windowBytes - this.#heldBytes - ahead
  }

  /** A quarter of the window at a time: otherwise each block that leaves would make a want of one. */
  #shouldPump(): boolean {
    if (this.#ended || this.#pumping) return false
    return this.#head === this.#slots.length || this.#roomBytes() >= this.#windowBytes / 4
  }

  /** Admits ids until the window is full. Never rejects. */
  async #pump(): Promise<void> {
    this.#pumping = true
    try {
      do {
        const step = this.#items.next()
        if (step instanceof Promise) this.#gather()
        const result = step instanceof Promise ? await step : (step as IteratorResult<WindowItem>)
        if (this.#closed) return
        if (result.done === true) this.#ended = true
        else this.#admit(result.value)
      } while (!this.#ended && this.#roomBytes() > 0)
    } catch (error) {
      this.#ended = true
      this.#endWith(error)
    } finally {
      this.#pumping = false
      this.#submit()
      if (this.#head === this.#slots.length) this.#wake?.()
    }
  }

  #admit(item: WindowItem): void {
    if (typeof item !== 'string') {
      this.#admitHere(item)
      return
    }
    const slot = new Slot(item, this)
    this.#slots.push(slot)
    this.#fresh.push(slot)
    this.#waiting++
  }

  #admitHere({ id, bytes }: Block): void {
    const slot = new Slot(id, this)
    slot.state = 'here'
    slot.bytes = bytes
    this.#heldBytes += bytes.length
    this.#slots.push(slot)
    if (this.#slots[this.#head] === slot) this.#wake?.()
  }

  #endWith(error: unknown): void {
    if (this.#closed) return
    const slot = new Slot('' as BlockId, this)
    this.#slots.push(slot)
    this.#waiting++
    slot.fail(error)
  }

  #gather(): void {
    if (this.#fresh.length === 0) return
    this.#cancelGather ??= this.#components.clock.after(GATHER_MS, () => this.#submit())
  }

  #submit(): void {
    this.#cancelGather?.()
    this.#cancelGather = undefined
    const fresh = this.#fresh
    this.#fresh = []
    if (this.#closed) return
    for (const slot of fresh) this.#components.want(slot)
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#submit()
    for (const slot of this.#slots.slice(this.#head)) {
      slot.cancelled = true
      if (slot.state === 'waiting') this.#components.cancel(slot)
    }
    this.#slots = []
    // Not waited for: a source of ids that is silent now would keep the caller from leaving.
    if (!this.#ended) void Promise.resolve(this.#items.return?.()).catch(() => {})
    this.#ended = true
  }
}
