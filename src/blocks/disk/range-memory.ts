/** Memory that threads share, in places of one range each, used again and again. */

export class RangeMemory {
  readonly buffer: SharedArrayBuffer
  readonly #count: number
  /** The place used last is used next: it is still in the processor's cache. */
  readonly #free: number[] = []

  constructor(count: number, bytesOfRange: number) {
    this.buffer = new SharedArrayBuffer(count * bytesOfRange)
    this.#count = count
    for (let index = count - 1; index >= 0; index--) this.#free.push(index * bytesOfRange)
  }

  get isFree(): boolean {
    return this.#free.length === this.#count
  }

  /** Where a range may be put; undefined when there is no place. */
  take(): number | undefined {
    return this.#free.pop()
  }

  release(at: number): void {
    this.#free.push(at)
  }
}
