/**
 * The changes of a transaction laid over a tree: reads see them first, and at the end they are
 * the list that the tree applies.
 */
import type { BlockId, StoreOptions } from '../../blocks/index.ts'
import type { Change, ScanOptions, ScanRange, Tree, TreeEntry } from '../tree/tree.ts'
import type { EntrySource } from './tree-snapshot.ts'
import { keyText } from './keys.ts'

export class Overlay implements EntrySource {
  readonly #tree: Tree
  readonly #changes = new Map<string, Change>()

  constructor(tree: Tree) {
    this.#tree = tree
  }

  set(key: Uint8Array, value: Uint8Array, link?: BlockId): void {
    this.#changes.set(keyText(key), link === undefined ? { key, value } : { key, value, link })
  }

  remove(key: Uint8Array): void {
    this.#changes.set(keyText(key), { key, value: undefined })
  }

  /** In the order the tree wants them. */
  changes(): Change[] {
    return this.#sorted(this.#changes)
  }

  async get(key: Uint8Array, options?: StoreOptions): Promise<TreeEntry | undefined> {
    const change = this.#changes.get(keyText(key))
    return change === undefined ? this.#tree.get(key, options) : entryOf(change)
  }

  async getMany(
    keys: readonly Uint8Array[],
    options?: StoreOptions
  ): Promise<(TreeEntry | undefined)[]> {
    const found = await this.#tree.getMany(keys, options)
    return keys.map((key, index) => {
      const change = this.#changes.get(keyText(key))
      return change === undefined ? found[index] : entryOf(change)
    })
  }

  async *scan(range: ScanRange, options?: ScanOptions): AsyncGenerator<readonly TreeEntry[]> {
    const changes = this.#within(range)
    let next = 0
    for await (const batch of this.#tree.scan(range, options)) {
      const merged: TreeEntry[] = []
      for (const entry of batch) {
        const text = keyText(entry.key)
        while (next < changes.length && changes[next]![0] < text) push(merged, changes[next++]![1])
        if (next < changes.length && changes[next]![0] === text) push(merged, changes[next++]![1])
        else merged.push(entry)
      }
      if (merged.length > 0) yield merged
    }
    const rest: TreeEntry[] = []
    while (next < changes.length) push(rest, changes[next++]![1])
    if (rest.length > 0) yield rest
  }

  #within({ from, to }: ScanRange): [string, Change][] {
    const first = from === undefined ? '' : keyText(from)
    const end = to === undefined ? undefined : keyText(to)
    return [...this.#changes]
      .filter(([text]) => text >= first && (end === undefined || text < end))
      .sort(byText)
  }

  #sorted(changes: Iterable<[string, Change]>): Change[] {
    return [...changes].sort(byText).map(([, change]) => change)
  }
}

function byText([a]: [string, Change], [b]: [string, Change]): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function push(entries: TreeEntry[], change: Change): void {
  const entry = entryOf(change)
  if (entry !== undefined) entries.push(entry)
}

function entryOf(change: Change): TreeEntry | undefined {
  return change.value === undefined ? undefined : (change as TreeEntry)
}
