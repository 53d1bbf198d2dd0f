/**
 * A channel carries whole frames over a wire: small ones leave together, large payloads uncopied.
 */
import { pipe } from 'it-pipe'
import type { FrameFields, Frame } from './frames.ts'
import { decodeFrames, encodeFrame } from './frames.ts'
import { BATCH_BYTES_MAX } from './limits.ts'
import type { Wire } from './wire.ts'

export class Channel {
  readonly #wire: Wire
  readonly #heard: () => void
  #batch: Uint8Array[] = []
  #batchBytes = 0

  /** `heard` is run whenever something arrives. */
  constructor(wire: Wire, { heard = () => {} }: { readonly heard?: () => void } = {}) {
    this.#wire = wire
    this.#heard = heard
  }

  /** What arrives, for one reader. Throws `EPROTO` for what is not a frame, and what the wire throws. */
  receive(): AsyncIterable<Frame[]> {
    return pipe(this.#wire.chunks, chunks => this.#listen(chunks), decodeFrames)
  }

  /** True while senders of messages should wait for `drained`. */
  get full(): boolean {
    return this.#wire.full
  }

  /** What waits to leave, in bytes. */
  get unsentBytes(): number {
    return this.#wire.unsentBytes + this.#batchBytes
  }

  drained(): Promise<void> {
    return this.#wire.drained()
  }

  /**
   * Sends a frame and returns its size, or queues it when full. Throws `EINVAL` for a message over
   * the limits, `ECONNRESET` when the wire is lost.
   */
  send(fields: FrameFields): number {
    const { parts, bytes, owned } = encodeFrame(fields)
    if (owned) {
      if (this.#batch.length === 0) queueMicrotask(() => this.#flushQuietly())
      this.#batch.push(...parts)
      this.#batchBytes += bytes
      if (this.#batchBytes >= BATCH_BYTES_MAX) this.#flush()
    } else {
      const batch = this.#takeBatch()
      this.#wire.send([...batch, ...parts])
    }
    return bytes
  }

  abort(reason: Error): void {
    this.#takeBatch()
    this.#wire.abort(reason)
  }

  async *#listen(
    chunks: AsyncIterable<readonly Uint8Array[]>
  ): AsyncGenerator<readonly Uint8Array[]> {
    for await (const arrived of chunks) {
      this.#heard()
      yield arrived
    }
  }

  #flush(): void {
    const batch = this.#takeBatch()
    if (batch.length > 0) this.#wire.send(batch)
  }

  /** A wire that was lost tells its reader; there is nobody else to tell from here. */
  #flushQuietly(): void {
    try {
      this.#flush()
    } catch (error) {
      this.#wire.abort(error as Error)
    }
  }

  #takeBatch(): Uint8Array[] {
    const batch = this.#batch
    this.#batch = []
    this.#batchBytes = 0
    return batch
  }
}
