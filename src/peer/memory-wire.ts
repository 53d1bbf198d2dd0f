/** The wires of the memory network: two ends that hand bytes to each other over a link. */
import { WarrenError } from '../errors.ts'
import { join } from './join.ts'
import type { Wire } from './wire.ts'

/** Carries something of a size one way: `deliver` is run when it has arrived. In order. */
export type Carry = (bytes: number, deliver: () => void) => void

/** Bytes under way or unread at which a wire is full, as with a stream's window. */
const FULL_BYTES = 256 * 1024

export interface WireEnds {
  readonly near: MemoryWire
  readonly far: MemoryWire
}

export function createWirePair(there: Carry, back: Carry): WireEnds {
  const near = new MemoryWire(there)
  const far = new MemoryWire(back)
  near.other = far
  far.other = near
  return { near, far }
}

export class MemoryWire implements Wire {
  other!: MemoryWire
  readonly chunks: AsyncIterable<readonly Uint8Array[]>
  readonly #carry: Carry
  #unsentBytes = 0
  #arrived: Uint8Array[] = []
  #arrivedBytes = 0
  #lost: Error | undefined
  #wakeReader: (() => void) | undefined
  #drained: PromiseWithResolvers<void> | undefined

  constructor(carry: Carry) {
    this.#carry = carry
    this.chunks = this.#read()
  }

  get full(): boolean {
    return this.#unsentBytes >= FULL_BYTES
  }

  get isLost(): boolean {
    return this.#lost !== undefined
  }

  get unsentBytes(): number {
    return this.#unsentBytes
  }

  send(parts: readonly Uint8Array[]): void {
    if (this.#lost !== undefined) throw this.#lost
    // A copy, because the sender may change its arrays while the link still carries them.
    const chunk = join(parts)
    this.#unsentBytes += chunk.length
    this.#carry(chunk.length, () => this.other.#arrive(chunk))
  }

  async drained(): Promise<void> {
    if (this.#lost !== undefined) throw this.#lost
    if (!this.full) return
    this.#drained ??= Promise.withResolvers<void>()
    await this.#drained.promise
  }

  abort(reason: Error): void {
    if (this.#lost !== undefined) return
    this.lose(reason)
    const message = 'the peer reset the channel'
    this.#carry(0, () => this.other.lose(new WarrenError('ECONNRESET', { message })))
  }

  /** What it runs over is gone: nobody is told over the link. */
  lose(reason: Error): void {
    if (this.#lost !== undefined) return
    this.#lost = reason
    this.#drained?.promise.catch(() => {})
    this.#drained?.reject(reason)
    this.#wakeReader?.()
  }

  #arrive(chunk: Uint8Array): void {
    if (this.#lost !== undefined) return
    this.#arrived.push(chunk)
    this.#arrivedBytes += chunk.length
    this.#wakeReader?.()
  }

  #left(bytes: number): void {
    this.#unsentBytes -= bytes
    if (this.full) return
    this.#drained?.resolve()
    this.#drained = undefined
  }

  async *#read(): AsyncGenerator<readonly Uint8Array[]> {
    while (true) {
      if (this.#arrived.length > 0) {
        const arrived = this.#arrived
        this.other.#left(this.#arrivedBytes)
        this.#arrived = []
        this.#arrivedBytes = 0
        yield arrived
      } else if (this.#lost !== undefined) {
        throw this.#lost
      } else {
        await new Promise<void>(resolve => (this.#wakeReader = resolve))
      }
    }
  }
}
