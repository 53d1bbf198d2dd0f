/** The lines of this peer, one to each peer that it watches in some volume. */
import type { PeerId } from '../../peer/index.ts'
import { Line } from './line.ts'
import type { LineComponents } from './line.ts'

export class Lines {
  readonly #components: LineComponents
  /** With how many watch by it. */
  readonly #lines = new Map<PeerId, { readonly line: Line; watches: number }>()
  readonly #closing = new Set<Promise<void>>()

  constructor(components: LineComponents) {
    this.#components = components
  }

  /** The line to a peer, which stands until as many have left it as have joined. */
  join(peer: PeerId): Line {
    const joined = this.#lines.get(peer) ?? { line: new Line(peer, this.#components), watches: 0 }
    joined.watches++
    this.#lines.set(peer, joined)
    return joined.line
  }

  leave(peer: PeerId): void {
    const left = this.#lines.get(peer)
    if (left === undefined || --left.watches > 0) return
    this.#lines.delete(peer)
    this.#close(left.line)
  }

  /** Resolves when no line is left. Whoever watches still is told that it was lost. */
  async close(): Promise<void> {
    for (const { line } of this.#lines.values()) this.#close(line)
    this.#lines.clear()
    await Promise.all(this.#closing)
  }

  #close(line: Line): void {
    const closed = line.close()
    this.#closing.add(closed)
    void closed.then(() => this.#closing.delete(closed))
  }
}
