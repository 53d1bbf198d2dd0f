/**
 * Reads blocks from whoever should have them. In a small circle everybody is asked, which costs
 * little and finds copies wherever they are. In a large one most holders lack most blocks: there a
 * block is asked of one of those that placement names and of the owner first, and of the rest when
 * they have not got it.
 */
import type { BlockExchange, BlockId, BlockSession } from '../../blocks/index.ts'
import { isWarrenError } from '../../errors.ts'
import type { PeerId } from '../../peer/index.ts'
import { PLACED_SESSIONS_MAX, SMALL_CIRCLE } from './limits.ts'

export interface PlacedReaderComponents {
  readonly exchange: Pick<BlockExchange, 'reader'>
  /** Who has new blocks first. */
  readonly owner: PeerId | undefined
  /** Everybody who may have blocks, us left out. */
  readonly others: () => readonly PeerId[]
  readonly isPresent: (holder: PeerId) => boolean
  /** From 0 up to 1. */
  readonly random: () => number
}

export class PlacedReader {
  /** Of all holders. */
  readonly session: BlockSession
  readonly #components: PlacedReaderComponents
  readonly #sessions = new Map<PeerId, BlockSession>()

  constructor(components: PlacedReaderComponents) {
    this.#components = components
    this.session = components.exchange.reader({ sources: components.others, background: true })
  }

  /** `placed`: who should have it. Throws what the reader throws. */
  async get(
    id: BlockId,
    placed: () => readonly PeerId[],
    options: { readonly signal: AbortSignal }
  ): Promise<Uint8Array> {
    const { others, isPresent, random } = this.#components
    if (others().length > SMALL_CIRCLE) {
      const holders = placed().filter(isPresent)
      const holder = holders[Math.floor(random() * holders.length)]
      if (holder !== undefined) {
        try {
          return await this.#sessionOf(holder).get(id, options)
        } catch (error) {
          if (!isWarrenError(error, 'EHOSTUNREACH')) throw error
        }
      }
    }
    return await this.session.get(id, options)
  }

  /** As that of a session. */
  async flush(): Promise<void> {
    await this.session.flush()
  }

  #sessionOf(holder: PeerId): BlockSession {
    let session = this.#sessions.get(holder)
    if (session === undefined) {
      const { owner, exchange } = this.#components
      const sources = owner === undefined ? [holder] : [holder, owner]
      session = exchange.reader({ sources: () => sources, background: true })
      this.#sessions.set(holder, session)
      const [oldest] = this.#sessions.keys()
      if (this.#sessions.size > PLACED_SESSIONS_MAX) this.#sessions.delete(oldest!)
    }
    return session
  }
}
