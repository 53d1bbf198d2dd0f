/** Heads in memory: for tests, and for peers that keep nothing. */
import { WarrenError } from '../../errors.ts'
import type { HeadStore } from './head-store.ts'
import type { SignedHead, VolumeId } from './head.ts'
import { requireNewer } from './head-order.ts'

export function createMemoryHeadStore(): HeadStore {
  return new MemoryHeadStore()
}

class MemoryHeadStore implements HeadStore {
  readonly #heads = new Map<VolumeId, SignedHead>()
  #closed = false

  async get(volume: VolumeId): Promise<SignedHead | undefined> {
    this.#requireOpen()
    return this.#heads.get(volume)
  }

  async compareAndSet(expected: number | undefined, next: SignedHead): Promise<boolean> {
    this.#requireOpen()
    const current = this.#heads.get(next.volume)
    if (current?.sequence !== expected) return false
    requireNewer(next, current)
    this.#heads.set(next.volume, next)
    return true
  }

  async volumes(): Promise<VolumeId[]> {
    this.#requireOpen()
    return [...this.#heads.keys()]
  }

  async delete(volume: VolumeId): Promise<void> {
    this.#requireOpen()
    this.#heads.delete(volume)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#heads.clear()
  }

  #requireOpen(): void {
    if (this.#closed) throw new WarrenError('EBADF', { message: 'the head store is closed' })
  }
}
