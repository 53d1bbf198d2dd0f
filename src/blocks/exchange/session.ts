/**
 * A reader of blocks, wherever they are: on this machine, or at some source. One session is for
 * blocks that belong together (a volume), because what it learns about who has what it keeps to
 * itself.
 */
import type { Block } from '../block.ts'
import type { BlockId } from '../block-id.ts'
import type { BlockReader, BlockStore, StoreOptions } from '../block-store.ts'
import type { Clock, Peer, PeerId } from '../../peer/index.ts'
import { Lacks } from './lacks.ts'
import { DEADLINE_MS, PATIENCE_MS, STALL_MS, WINDOW_BYTES } from './limits.ts'
import { LocalFirst } from './local-first.ts'
import type { Lookup } from './local-first.ts'
import { OrderedWindow } from './ordered-window.ts'
import { SourceChoice } from './source-choice.ts'
import type { Sources } from './source.ts'
import type { Transfers } from './transfers.ts'
import { WantScheduler } from './want-scheduler.ts'
import type { WriteBehind } from './write-behind.ts'

export interface BlockSessionOptions {
  /** Who probably has the blocks, best first; asked for again each time. Others who are connected come after them. Default: nobody. */
  readonly sources?: () => Iterable<PeerId>
  /** Bytes that each `getMany` may hold or have asked for ahead of its caller. Default `WINDOW_BYTES`; more helps on long fat links. */
  readonly windowBytes?: number
  /** How long a block may make no progress before `EHOSTUNREACH`. Default `DEADLINE_MS`. */
  readonly deadlineMs?: number
  /** How long a source may be silent before others are asked as well. Default `STALL_MS`. */
  readonly stallMs?: number
  /** How long a source that cannot be reached is waited for when all others have said no. Default `PATIENCE_MS`. */
  readonly patienceMs?: number
}

export interface BlockSession extends BlockReader {
  /**
   * Resolves when every block that was handed out is in the local store (not synced). Throws what
   * the store threw since the last call, `ENOSPC` say: some of them were not kept.
   */
  flush(): Promise<void>
}

export interface BlockSessionComponents {
  readonly peer: Pick<Peer, 'id' | 'call' | 'connected'>
  readonly store: Pick<BlockStore, 'get'>
  readonly clock: Clock
  readonly sources: Sources
  readonly writeBehind: WriteBehind
  readonly transfers: Transfers
  readonly onActive: (session: Session, active: boolean) => void
}

export class Session implements BlockSession {
  readonly #components: BlockSessionComponents
  readonly #windowBytes: number
  readonly #scheduler: WantScheduler
  readonly #local: LocalFirst

  constructor(components: BlockSessionComponents, options: BlockSessionOptions) {
    const { peer, store, clock, sources, writeBehind, transfers, onActive } = components
    const lacks = new Lacks()
    const hints = options.sources ?? (() => [])
    const choice = new SourceChoice({ peer, sources, lacks, hints })
    this.#components = components
    this.#windowBytes = options.windowBytes ?? WINDOW_BYTES
    this.#scheduler = new WantScheduler(
      {
        peer,
        clock,
        choice,
        lacks,
        writeBehind,
        transfers,
        onActive: active => onActive(this, active)
      },
      {
        deadlineMs: options.deadlineMs ?? DEADLINE_MS,
        stallMs: options.stallMs ?? STALL_MS,
        patienceMs: options.patienceMs ?? PATIENCE_MS
      }
    )
    this.#local = new LocalFirst(store, writeBehind, lookups => {
      for (const lookup of lookups) this.#scheduler.add(lookup.id, lookup)
    })
  }

  async get(id: BlockId, { signal }: StoreOptions = {}): Promise<Uint8Array> {
    signal?.throwIfAborted()
    const lookup = new OneLookup(id)
    const cancel = (): void => {
      lookup.cancelled = true
      this.#scheduler.remove(id, lookup)
      lookup.result.reject(signal?.reason)
    }
    signal?.addEventListener('abort', cancel)
    try {
      this.#local.add(lookup)
      return await lookup.result.promise
    } finally {
      signal?.removeEventListener('abort', cancel)
    }
  }

  getMany(
    ids: Iterable<BlockId> | AsyncIterable<BlockId>,
    options: StoreOptions = {}
  ): AsyncIterable<Block> {
    const components = {
      clock: this.#components.clock,
      want: (lookup: Lookup) => this.#local.add(lookup),
      cancel: (lookup: Lookup) => this.#scheduler.remove(lookup.id, lookup),
      blockBytes: () => this.#scheduler.blockBytes
    }
    const { signal } = options
    return new OrderedWindow(components, ids, { windowBytes: this.#windowBytes, signal })
  }

  flush(): Promise<void> {
    return this.#components.writeBehind.flush()
  }

  /** Sources have come or changed. */
  poke(): void {
    this.#scheduler.poke()
  }

  /** Fails everything that waits. */
  stop(reason: unknown): void {
    this.#scheduler.stop(reason)
  }
}

class OneLookup implements Lookup {
  readonly id: BlockId
  readonly result: PromiseWithResolvers<Uint8Array> = Promise.withResolvers()
  cancelled = false

  constructor(id: BlockId) {
    this.id = id
  }

  take(bytes: Uint8Array): void {
    this.result.resolve(bytes)
  }

  fail(error: unknown): void {
    this.result.reject(error)
  }
}
