/**
 * A reader of blocks, wherever they are: on this machine, or at some source. One session is for
 * blocks that belong together (a volume), because what it learns about who has what it keeps to
 * itself.
 */
import type { Block } from '../block.ts'
import type { BlockId } from '../block-id.ts'
import type {
  BlockReader,
  BlockStore,
  Descent,
  GetOptions,
  ReaderOptions,
  StoreOptions
} from '../block-store.ts'
import type { Clock, Peer, PeerId } from '../../peer/index.ts'
import { Descents } from './descents.ts'
import { Lacks } from './lacks.ts'
import { DEADLINE_MS, PATIENCE_MS, STALL_MS, WINDOW_BYTES } from './limits.ts'
import { LocalFirst } from './local-first.ts'
import type { Lookup } from './local-first.ts'
import { fetchBlocks } from './fetch-blocks.ts'
import type { LinksWithin, SubtreeWant } from './messages.ts'
import { NodeStream } from './node-stream.ts'
import { OrderedWindow } from './ordered-window.ts'
import type { WindowItem } from './ordered-window.ts'
import { SourceChoice } from './source-choice.ts'
import type { Source, Sources } from './source.ts'
import { walkSubtree } from './subtree-reader.ts'
import type { SubtreeOptions } from './subtree-reader.ts'
import type { Transfers } from './transfers.ts'
import { WantScheduler } from './want-scheduler.ts'
import type { WriteBehind } from './write-behind.ts'

export interface BlockSessionOptions {
  /** Who probably has the blocks, best first; asked for again each time. Others who are connected come after them. Default: nobody. */
  readonly sources?: () => Iterable<PeerId>
  /** Nobody waits for what it gets: sources serve others first. Default false. */
  readonly background?: boolean
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
   * Yields a block and everything below it, each once: parents first, depth first, in the order of
   * the links. Fetches what is not here, as `getMany` does, and throws as it does; `EFBIG` for a
   * tree beyond all measure.
   */
  getSubtree(root: BlockId, options?: SubtreeOptions): AsyncIterable<Block>
  /**
   * Resolves when every block that was handed out is in the local store (not synced). Throws what
   * the store threw since the last call, `ENOSPC` say: some blocks were not kept, of this session
   * or of another one.
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
  readonly linksWithin: LinksWithin | undefined
  readonly onActive: (session: Session, active: boolean) => void
}

export class Session implements BlockSession {
  readonly #components: BlockSessionComponents
  readonly #windowBytes: number
  readonly #stallMs: number
  readonly #background: boolean
  #failuresSeen: number
  readonly #scheduler: WantScheduler
  readonly #local: LocalFirst
  /** None for a session that nobody waits for: it has no use for quick answers. */
  readonly #descents: Descents | undefined

  constructor(components: BlockSessionComponents, options: BlockSessionOptions) {
    const { peer, store, clock, sources, writeBehind, transfers, linksWithin, onActive } =
      components
    const lacks = new Lacks()
    const hints = options.sources ?? (() => [])
    let busy = 0
    const mark = (begins: boolean): void => {
      busy += begins ? 1 : -1
      if (busy === (begins ? 1 : 0)) onActive(this, begins)
    }
    const choice = new SourceChoice({ peer, sources, lacks, hints })
    this.#components = components
    this.#failuresSeen = writeBehind.failures
    this.#windowBytes = options.windowBytes ?? WINDOW_BYTES
    this.#stallMs = options.stallMs ?? STALL_MS
    this.#background = options.background ?? false
    this.#scheduler = new WantScheduler(
      {
        peer,
        clock,
        choice,
        lacks,
        writeBehind,
        transfers,
        onActive: mark
      },
      {
        deadlineMs: options.deadlineMs ?? DEADLINE_MS,
        stallMs: this.#stallMs,
        background: this.#background,
        patienceMs: options.patienceMs ?? PATIENCE_MS
      }
    )
    const otherwise = (lookup: Lookup): void => this.#scheduler.add(lookup.id, lookup)
    if (linksWithin !== undefined && !this.#background) {
      const bestSource = (id: BlockId): Source | undefined => this.#scheduler.bestSource(id)
      this.#descents = new Descents(
        {
          peer,
          clock,
          lacks,
          writeBehind,
          transfers,
          linksWithin,
          bestSource,
          otherwise,
          onActive: mark
        },
        { stallMs: this.#stallMs }
      )
    }
    this.#local = new LocalFirst(store, writeBehind, lookups => {
      for (const lookup of lookups) if (!this.#descents?.take(lookup)) otherwise(lookup)
    })
  }

  async get(id: BlockId, { signal, descent }: GetOptions = {}): Promise<Uint8Array> {
    signal?.throwIfAborted()
    const lookup = new OneLookup(id, descent)
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
    options: ReaderOptions = {}
  ): AsyncIterable<Block> {
    return this.#inOrder(ids, options)
  }

  async *getSubtree(
    root: BlockId,
    options: SubtreeOptions = {}
  ): AsyncGenerator<Block, void, undefined> {
    // Ends what the walk waits for when the caller leaves, which the walk would not notice.
    const left = new AbortController()
    const signals = [left.signal, ...(options.signal === undefined ? [] : [options.signal])]
    const signal = AbortSignal.any(signals)
    const components = {
      get: (id: BlockId, getOptions: StoreOptions) => this.get(id, getOptions),
      blockBytes: () => this.#scheduler.blockBytes,
      openStream: () => {
        const background = this.#background
        return this.#openStream({ kind: 'subtree', root, nodesOnly: true, background })
      }
    }
    try {
      yield* this.#inOrder(walkSubtree(components, root, { ...options, signal }), { signal })
    } finally {
      left.abort()
    }
  }

  async flush(): Promise<void> {
    const { writeBehind } = this.#components
    await writeBehind.flush()
    const failed = writeBehind.failures > this.#failuresSeen
    this.#failuresSeen = writeBehind.failures
    if (failed) throw writeBehind.lastError
  }

  #inOrder(
    items: Iterable<WindowItem> | AsyncIterable<WindowItem>,
    { signal, keep = true }: ReaderOptions
  ): OrderedWindow {
    const components = {
      clock: this.#components.clock,
      want: (lookup: Lookup) => this.#local.add(lookup),
      keep: (block: Block) => this.#components.writeBehind.put(block),
      cancel: (lookup: Lookup) => this.#scheduler.remove(lookup.id, lookup),
      blockBytes: () => this.#scheduler.blockBytes
    }
    return new OrderedWindow(components, items, { windowBytes: this.#windowBytes, keep, signal })
  }

  #openStream(want: SubtreeWant): NodeStream | undefined {
    const { peer, clock, writeBehind, transfers } = this.#components
    const source = this.#scheduler.bestSource(want.root)
    if (source === undefined) return undefined
    return new NodeStream(signal => fetchBlocks(peer, source.id, want, { signal }), {
      stallMs: this.#stallMs,
      clock,
      onNodes: async nodes => {
        for (const node of nodes) writeBehind.put(node)
        const bytes = nodes.reduce((sum, node) => sum + node.bytes.length, 0)
        transfers.received(source.id, { blocks: nodes.length, bytes })
        await writeBehind.untilRoom()
      },
      onError: error => source.failed(error, clock.now())
    })
  }

  /** Sources have come or changed. */
  poke(): void {
    this.#scheduler.poke()
  }

  /** Fails everything that waits. */
  stop(reason: unknown): void {
    this.#descents?.stop()
    this.#scheduler.stop(reason)
  }
}

class OneLookup implements Lookup {
  readonly id: BlockId
  readonly descent: Descent | undefined
  readonly keep = true
  readonly result: PromiseWithResolvers<Uint8Array> = Promise.withResolvers()
  cancelled = false

  constructor(id: BlockId, descent: Descent | undefined) {
    this.id = id
    this.descent = descent
  }

  take(bytes: Uint8Array): void {
    this.result.resolve(bytes)
  }

  fail(error: unknown): void {
    this.result.reject(error)
  }
}
