/**
 * A channel carries whole frames over a wire: small ones leave together, large payloads uncopied.
 */
import { pipe } from 'it-pipe'
import type { FrameFields, Frame } from './frames.ts'
import { decodeFrames, encodeFrame } from './frames.ts'
import { BATCH_BYTES_MAX } from './limits.ts'
import type { Wire } from './wire.ts'

/** More than a handler, its generator and the loop over it take from one message to the next. */
const QUIET_TURNS = 16

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
      if (this.#batch.length === 0) void this.#flushWhenQuiet()
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

  /**
   * Waits for frames that are about to follow: a handler needs some turns of the microtask queue
   * for each message, and a turn costs far less than sending one more encrypted packet.
   */
  async #flushWhenQuiet(): Promise<void> {
    const batch = this.#batch
    for (let quiet = 0, length = 0; quiet < QUIET_TURNS; quiet++) {
      if (batch.length !== length) quiet = 0
      length = batch.length
      await Promise.resolve()
      if (this.#batch !== batch) return
    }
    try {
      this.#flush()
    } catch (error) {
      // A wire that was lost tells its reader; there is nobody else to tell from here.
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
