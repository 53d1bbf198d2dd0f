/** Holder lists in memory: for tests, and for peers that keep nothing. */
import { WarrenError } from '../../errors.ts'
import type { VolumeId } from '../../namespace/index.ts'
import { supersedesHolderList } from './holder-list-order.ts'
import type { HolderListStore } from './holder-list-store.ts'
import type { HolderList } from './holder-list.ts'

export function createMemoryHolderListStore(): HolderListStore {
  return new MemoryHolderListStore()
}

class MemoryHolderListStore implements HolderListStore {
  readonly #lists = new Map<VolumeId, HolderList>()
  #closed = false

  async get(volume: VolumeId): Promise<HolderList | undefined> {
    this.#requireOpen()
    return this.#lists.get(volume)
  }

  async put(next: HolderList): Promise<boolean> {
    this.#requireOpen()
    if (!supersedesHolderList(next, this.#lists.get(next.volume))) return false
    this.#lists.set(next.volume, next)
    return true
  }

  async volumes(): Promise<VolumeId[]> {
    this.#requireOpen()
    return [...this.#lists.keys()]
  }

  async delete(volume: VolumeId): Promise<void> {
    this.#requireOpen()
    this.#lists.delete(volume)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#lists.clear()
  }

  #requireOpen(): void {
    if (this.#closed) throw new WarrenError('EBADF', { message: 'the holder list store is closed' })
  }
}
