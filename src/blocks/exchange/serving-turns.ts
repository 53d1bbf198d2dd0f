/**
 * Who is served when: a few wants of each peer at once, a few more wait, the rest is refused. It
 * keeps one greedy peer from taking the disk and the memory of everybody else.
 */
import { WarrenError } from '../../errors.ts'
import type { PeerId } from '../../peer/index.ts'
import { WANTS_QUEUED_PER_PEER_MAX, WANTS_SERVED_MAX, WANTS_SERVED_PER_PEER_MAX } from './limits.ts'

interface Turns {
  served: number
  readonly waiting: (() => void)[]
}

export class ServingTurns {
  readonly #peers = new Map<PeerId, Turns>()
  #wants = 0

  /** Resolves, to how to give the turn back, when it is this want's turn. Throws `EBUSY`. */
  async take(peer: PeerId, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    const turns = this.#turnsOf(peer)
    const full = turns.waiting.length >= WANTS_QUEUED_PER_PEER_MAX
    if (full || this.#wants >= WANTS_SERVED_MAX) {
      throw new WarrenError('EBUSY', {
        message: `${turns.served + turns.waiting.length} wants of this peer, ${this.#wants} in all`
      })
    }
    this.#wants++
    if (turns.served < WANTS_SERVED_PER_PEER_MAX) turns.served++
    else await this.#wait(turns, signal)
    let given = false
    return () => {
      if (!given) this.#give(peer, turns)
      given = true
    }
  }

  #turnsOf(peer: PeerId): Turns {
    let turns = this.#peers.get(peer)
    if (turns === undefined) this.#peers.set(peer, (turns = { served: 0, waiting: [] }))
    return turns
  }

  async #wait(turns: Turns, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const begin = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        turns.waiting.splice(turns.waiting.indexOf(begin), 1)
        this.#wants--
        reject(signal.reason as Error)
      }
      turns.waiting.push(begin)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  #give(peer: PeerId, turns: Turns): void {
    this.#wants--
    const next = turns.waiting.shift()
    if (next !== undefined) return next()
    turns.served--
    if (turns.served === 0) this.#peers.delete(peer)
  }
}
