/** The record of replication as it is now, and on its way to the store: one change after the other. */
import type { ReplicationRecord, ReplicationStore } from './replication-store.ts'

export class KeptRecord {
  readonly #store: ReplicationStore
  #now: ReplicationRecord
  #last: Promise<unknown> = Promise.resolve()

  private constructor(store: ReplicationStore, record: ReplicationRecord) {
    this.#store = store
    this.#now = record
  }

  static async open(store: ReplicationStore): Promise<KeptRecord> {
    return new KeptRecord(store, await store.load())
  }

  /** What was saved last. */
  get now(): ReplicationRecord {
    return this.#now
  }

  /**
   * Resolves when the change is durable; only then is it what `now` tells. When `edit` or the store
   * throws, nothing has changed.
   */
  change(edit: (record: ReplicationRecord) => ReplicationRecord): Promise<void> {
    const changed = this.#last.then(async () => {
      const next = edit(this.#now)
      if (next === this.#now) return
      await this.#store.save(next)
      this.#now = next
    })
    this.#last = changed.catch(() => {})
    return changed
  }
}
