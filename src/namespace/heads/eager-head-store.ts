/**
 * Heads of other people's volumes are taken at once and made durable a moment later: whoever waits
 * for a new version should not wait for a disk. What a crash takes is only what any peer can tell
 * us again; a volume of our own needs the store itself.
 */
import { requireNewer, supersedes } from './head-order.ts'
import type { HeadStore } from './head-store.ts'
import type { SignedHead, VolumeId } from './head.ts'

export interface EagerHeadStore extends Pick<HeadStore, 'get' | 'compareAndSet'> {
  /** Resolves when nothing waits to be written any more. Never rejects. */
  flush(): Promise<void>
}

export function createEagerHeadStore(
  store: Pick<HeadStore, 'get' | 'compareAndSet'>
): EagerHeadStore {
  return new WriteBehindHeads(store)
}

class WriteBehindHeads implements EagerHeadStore {
  readonly #store: Pick<HeadStore, 'get' | 'compareAndSet'>
  /** Newer than what is stored, or about to be the same. Those that cannot be stored stay. */
  readonly #newer = new Map<VolumeId, SignedHead>()
  readonly #writing = new Map<VolumeId, Promise<void>>()

  constructor(store: Pick<HeadStore, 'get' | 'compareAndSet'>) {
    this.#store = store
  }

  async get(volume: VolumeId): Promise<SignedHead | undefined> {
    return this.#newer.get(volume) ?? (await this.#store.get(volume))
  }

  async compareAndSet(expected: number | undefined, next: SignedHead): Promise<boolean> {
    const { volume } = next
    const stored = this.#newer.has(volume) ? undefined : await this.#store.get(volume)
    // Another head may have come while the store was asked.
    const current = this.#newer.get(volume) ?? stored
    if (current?.sequence !== expected) return false
    requireNewer(next, current)
    this.#newer.set(volume, next)
    if (!this.#writing.has(volume)) this.#writing.set(volume, this.#write(volume))
    return true
  }

  async flush(): Promise<void> {
    while (this.#writing.size > 0) await Promise.all(this.#writing.values())
  }

  /** Writes until what is stored is the newest. One run at a time for each volume. */
  async #write(volume: VolumeId): Promise<void> {
    try {
      for (let head = this.#newer.get(volume); head !== undefined;) {
        const stored = await this.#store.get(volume)
        if (supersedes(head, stored)) await this.#store.compareAndSet(stored?.sequence, head)
        const now = this.#newer.get(volume)
        if (now === head) this.#newer.delete(volume)
        head = now === head ? undefined : now
      }
    } catch {
      // A full disk, say. It is tried again with the next head; until then it is in memory only.
    } finally {
      this.#writing.delete(volume)
    }
  }
}
