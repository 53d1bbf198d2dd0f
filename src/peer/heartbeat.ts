/**
 * Finds connections that are dead without having been closed: asks for a sign of life where there
 * was none for a while, and gives up after several were missed in a row.
 */
import { isWarrenError } from '../errors.ts'
import type { Clock } from './clock.ts'
import { HEARTBEATS_MISSED_MAX, HEARTBEAT_MS } from './limits.ts'
import type { PeerId } from './peer.ts'

export interface HeartbeatComponents {
  readonly clock: Clock
  readonly connected: () => readonly PeerId[]
  /** Resolves when the peer has answered. Has a deadline. */
  readonly ask: (peer: PeerId) => Promise<unknown>
  readonly giveUp: (peer: PeerId) => void
}

export class Heartbeat {
  readonly #components: HeartbeatComponents
  /** For each peer, how many signs of life it has missed. */
  readonly #missed = new Map<PeerId, number>()
  readonly #heard = new Set<PeerId>()
  #cancel: (() => void) | undefined

  constructor(components: HeartbeatComponents) {
    this.#components = components
  }

  start(): void {
    this.#cancel ??= this.#components.clock.after(HEARTBEAT_MS, () => this.#beat())
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#missed.clear()
    this.#heard.clear()
  }

  /** Something arrived from this peer. */
  heard(peer: PeerId): void {
    this.#heard.add(peer)
  }

  #beat(): void {
    this.#cancel = undefined
    this.start()
    const connected = new Set(this.#components.connected())
    for (const peer of this.#missed.keys()) if (!connected.has(peer)) this.#missed.delete(peer)
    for (const peer of connected) {
      if (this.#heard.has(peer)) this.#missed.delete(peer)
      else void this.#ask(peer)
    }
    this.#heard.clear()
  }

  async #ask(peer: PeerId): Promise<void> {
    try {
      await this.#components.ask(peer)
      this.#missed.delete(peer)
    } catch (error) {
      // Any answer is a sign of life, also a refusal; a reset shows by itself.
      if (!isWarrenError(error, 'ETIMEDOUT')) return
      const missed = (this.#missed.get(peer) ?? 0) + 1
      this.#missed.set(peer, missed)
      if (missed >= HEARTBEATS_MISSED_MAX && this.#cancel !== undefined) {
        this.#missed.delete(peer)
        this.#components.giveUp(peer)
      }
    }
  }
}
