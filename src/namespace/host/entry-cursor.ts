/** Goes through a directory of a volume entry by entry, beside another list in the same order. */
import type { EntryWithInode } from '../volume/volume.ts'
import { compareNames } from './host-names.ts'

export class EntryCursor {
  readonly #source: AsyncIterator<readonly EntryWithInode[]>
  #batch: readonly EntryWithInode[] = []
  #position = 0
  #ended = false

  constructor(source: AsyncIterable<readonly EntryWithInode[]>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /**
   * The entry of this name, if there is one. Names must be asked for in ascending order; entries
   * before it that were not asked for are added to `passed`.
   */
  async find(name: string, passed: EntryWithInode[]): Promise<EntryWithInode | undefined> {
    while (await this.#hasMore()) {
      const entry = this.#batch[this.#position]!
      const order = compareNames(entry.name, name)
      if (order > 0) return undefined
      this.#position++
      if (order === 0) return entry
      passed.push(entry)
    }
    return undefined
  }

  /** Everything not asked for yet. */
  async *rest(): AsyncGenerator<readonly EntryWithInode[]> {
    while (await this.#hasMore()) {
      yield this.#batch.slice(this.#position)
      this.#position = this.#batch.length
    }
  }

  async close(): Promise<void> {
    await this.#source.return?.()
  }

  async #hasMore(): Promise<boolean> {
    while (!this.#ended && this.#position === this.#batch.length) {
      const next = await this.#source.next()
      this.#ended = next.done === true
      this.#batch = next.done === true ? [] : next.value
      this.#position = 0
    }
    return !this.#ended
  }
}
