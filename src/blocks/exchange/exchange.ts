/**
 * Plugs the block exchange into a peer: serves what the store has, and makes readers that find
 * blocks wherever they are.
 */
import type { BlockId } from '../block-id.ts'
import type { BlockStore } from '../block-store.ts'
import { WarrenError } from '../../errors.ts'
import { systemClock } from '../../peer/index.ts'
import type { Clock, Peer, PeerId, TypedEventTarget } from '../../peer/index.ts'
import { BLOCKS_PROTOCOL } from './messages.ts'
import type { LinksWithin } from './messages.ts'
import { createBlocksHandler } from './serve-blocks.ts'
import { Session } from './session.ts'
import type { BlockSession, BlockSessionOptions } from './session.ts'
import { Sources } from './source.ts'
import { Transfers } from './transfers.ts'
import type { Transfer } from './transfers.ts'
import { WriteBehind } from './write-behind.ts'

export interface BlockExchangeComponents {
  readonly peer: Peer
  /** What is served, looked into first, and filled with what was fetched. */
  readonly store: Pick<BlockStore, 'get' | 'putMany'>
}

export interface BlockExchangeOptions {
  /** Whether this peer may have this block; a refused block is reported missing. Default: whoever knows the id may have the block. */
  readonly mayServe?: (id: BlockId, to: PeerId) => boolean
  /** Bytes that all answers together may hold read ahead. Default `READ_AHEAD_BYTES_MAX`. */
  readonly readAheadBytesMax?: number
  /** How nodes of trees are read, for who looks for a range of keys. Default: everybody goes down node by node. */
  readonly linksWithin?: LinksWithin
  /** Default `systemClock`. */
  readonly clock?: Clock
}

export interface BlockExchangeEvents {
  /** Blocks came or went: the totals of that peer. A few times a second at most; `transfers` is exact. */
  transfer: CustomEvent<Transfer>
}

export interface BlockExchange {
  readonly events: TypedEventTarget<BlockExchangeEvents>
  /** Serves from now on. Idempotent. */
  start(): Promise<void>
  /** Ends everything under way with `ECONNRESET`; resolves once fetched blocks are in the store. Readers only read from the store from now on. Idempotent. */
  stop(): Promise<void>
  /** A reader that looks into the store first and then asks peers. It needs no closing. */
  reader(options?: BlockSessionOptions): BlockSession
  /** What was exchanged with each peer so far. */
  transfers(): Transfer[]
  [Symbol.asyncDispose](): Promise<void>
}

export function createBlockExchange(
  components: BlockExchangeComponents,
  options: BlockExchangeOptions = {}
): BlockExchange {
  return new Exchange(components, options)
}

class Exchange implements BlockExchange {
  readonly events: TypedEventTarget<BlockExchangeEvents>
  readonly #components: BlockExchangeComponents
  readonly #options: BlockExchangeOptions
  readonly #clock: Clock
  readonly #sources = new Sources()
  readonly #writeBehind: WriteBehind
  readonly #transfers: Transfers
  /** The sessions that wait for something; others need not be known, so they may be forgotten. */
  readonly #active = new Set<Session>()
  #unserve: (() => void) | undefined
  #stopped = false

  constructor(components: BlockExchangeComponents, options: BlockExchangeOptions) {
    const events = new EventTarget()
    this.events = events as unknown as TypedEventTarget<BlockExchangeEvents>
    this.#components = components
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#writeBehind = new WriteBehind(components.store, this.#clock)
    this.#transfers = new Transfers(this.#clock, events)
  }

  async start(): Promise<void> {
    if (this.#unserve !== undefined) return
    this.#stopped = false
    const { peer, store } = this.#components
    const { mayServe, readAheadBytesMax, linksWithin } = this.#options
    // What was fetched is served at once, also while it waits to be written.
    const held: Pick<BlockStore, 'get'> = {
      get: async (id, options) => this.#writeBehind.get(id) ?? store.get(id, options)
    }
    const handler = createBlocksHandler(held, {
      clock: this.#clock,
      mayServe,
      readAheadBytesMax,
      linksWithin,
      onSent: (to, amount) => this.#transfers.sent(to, amount)
    })
    this.#unserve = peer.serve(BLOCKS_PROTOCOL, handler)
    peer.events.addEventListener('connect', this.#onConnect)
  }

  async stop(): Promise<void> {
    this.#unserve?.()
    this.#unserve = undefined
    this.#stopped = true
    this.#components.peer.events.removeEventListener('connect', this.#onConnect)
    for (const session of this.#active) session.stop(stopped())
    await this.#writeBehind.flush()
  }

  reader(options: BlockSessionOptions = {}): BlockSession {
    const { peer, store } = this.#components
    const onActive = (session: Session, active: boolean): void => {
      if (!active) this.#active.delete(session)
      else if (this.#stopped) queueMicrotask(() => session.stop(stopped()))
      else this.#active.add(session)
    }
    return new Session(
      {
        peer,
        store,
        clock: this.#clock,
        sources: this.#sources,
        writeBehind: this.#writeBehind,
        transfers: this.#transfers,
        linksWithin: this.#options.linksWithin,
        onActive
      },
      options
    )
  }

  transfers(): Transfer[] {
    return this.#transfers.all()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  readonly #onConnect = ({ detail }: CustomEvent<PeerId>): void => {
    this.#sources.connected(detail)
    for (const session of this.#active) session.poke()
  }
}

function stopped(): WarrenError {
  return new WarrenError('ECONNRESET', { message: 'the block exchange was stopped' })
}
