/**
 * Looks for blocks on this machine before anyone else is asked. Requests of one turn are looked up
 * together and what is missing goes on together, so that it becomes one want and not many.
 */
import type { BlockId } from '../block-id.ts'
import type { BlockStore, Descent } from '../block-store.ts'
import type { Waiter } from './ask.ts'
import type { WriteBehind } from './write-behind.ts'

export interface Lookup extends Waiter {
  readonly id: BlockId
  /** Where in a tree its reader is going. */
  readonly descent?: Descent | undefined
  /** Nobody waits any more. */
  readonly cancelled: boolean
}

export class LocalFirst {
  readonly #store: Pick<BlockStore, 'get'>
  readonly #writeBehind: WriteBehind
  readonly #onMissing: (lookups: readonly Lookup[]) => void
  #batch: Lookup[] = []

  constructor(
    store: Pick<BlockStore, 'get'>,
    writeBehind: WriteBehind,
    onMissing: (lookups: readonly Lookup[]) => void
  ) {
    this.#store = store
    this.#writeBehind = writeBehind
    this.#onMissing = onMissing
  }

  add(lookup: Lookup): void {
    this.#batch.push(lookup)
    if (this.#batch.length > 1) return
    queueMicrotask(() => {
      const batch = this.#batch
      this.#batch = []
      void this.#lookUp(batch)
    })
  }

  async #lookUp(batch: readonly Lookup[]): Promise<void> {
    const missing: Lookup[] = []
    await Promise.all(
      batch.map(async (lookup, index) => {
        if (!(await this.#find(lookup))) missing[index] = lookup
      })
    )
    // Sparse, so that the order asked is kept whatever order the store answers in.
    const wanted = missing.filter(lookup => !lookup.cancelled)
    if (wanted.length > 0) this.#onMissing(wanted)
  }

  async #find(lookup: Lookup): Promise<boolean> {
    if (lookup.cancelled) return true
    try {
      const bytes = this.#writeBehind.get(lookup.id) ?? (await this.#store.get(lookup.id))
      if (bytes === undefined) return false
      if (!lookup.cancelled) lookup.take(bytes)
    } catch (error) {
      if (!lookup.cancelled) lookup.fail(error)
    }
    return true
  }
}
