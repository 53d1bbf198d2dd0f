/**
 * The changes of a transaction laid over a tree: reads see them first, and at the end they are
 * the list that the tree applies.
 */
import type { BlockId, StoreOptions } from '../../blocks/index.ts'
import type { ReadEntry } from '../tree/entry-in-place.ts'
import { inPlace } from '../tree/entry-in-place.ts'
import type { Change, KeyList, ScanOptions, ScanRange, Tree, TreeEntry } from '../tree/tree.ts'
import type { EntrySource } from './tree-snapshot.ts'
import { GROUP_BYTES, keyText } from './keys.ts'

export class Overlay implements EntrySource {
  readonly #tree: Tree
  /**
   * By the beginning of their keys, region and inode: a scan is nearly always of one inode, and
   * must not look at every change of a long transaction.
   */
  readonly #changes = new Map<string, Map<string, Change>>()

  constructor(tree: Tree) {
    this.#tree = tree
  }

  set(key: Uint8Array, value: Uint8Array, link?: BlockId): void {
    this.#put(link === undefined ? { key, value } : { key, value, link })
  }

  remove(key: Uint8Array): void {
    this.#put({ key, value: undefined })
  }

  /** In the order the tree wants them. */
  changes(): Change[] {
    return [...this.#changes.values()]
      .flatMap(changes => [...changes])
      .sort(byText)
      .map(([, change]) => change)
  }

  async get(key: Uint8Array, options?: StoreOptions): Promise<TreeEntry | undefined> {
    const change = this.#changeOf(key)
    return change === undefined ? this.#tree.get(key, options) : entryOf(change)
  }

  async getMany(
    keys: readonly Uint8Array[],
    options?: StoreOptions
  ): Promise<(TreeEntry | undefined)[]> {
    const found = await this.#tree.getMany(keys, options)
    return keys.map((key, index) => {
      const change = this.#changeOf(key)
      return change === undefined ? found[index] : entryOf(change)
    })
  }

  async readMany<Result>(
    keys: KeyList,
    read: ReadEntry<Result>,
    options?: StoreOptions
  ): Promise<(Result | undefined)[]> {
    const lasting = Array.from({ length: keys.length }, (_, index) => keys.at(index)!.slice())
    const found = await this.getMany(lasting, options)
    return found.map(entry => entry && read(inPlace(entry)))
  }

  async *readRange<Result>(
    range: ScanRange,
    read: ReadEntry<Result>,
    options?: ScanOptions
  ): AsyncGenerator<readonly Result[]> {
    for await (const batch of this.scan(range, options)) {
      yield batch.map(entry => read(inPlace(entry)))
    }
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

  #put(change: Change): void {
    const text = keyText(change.key)
    const group = text.slice(0, GROUP_BYTES)
    const changes = this.#changes.get(group)
    if (changes === undefined) this.#changes.set(group, new Map([[text, change]]))
    else changes.set(text, change)
  }

  #changeOf(key: Uint8Array): Change | undefined {
    const text = keyText(key)
    return this.#changes.get(text.slice(0, GROUP_BYTES))?.get(text)
  }

  #within({ from, to }: ScanRange): [string, Change][] {
    const first = from === undefined ? '' : keyText(from)
    const end = to === undefined ? undefined : keyText(to)
    return this.#groups(first, end)
      .flatMap(changes => [...changes])
      .filter(([text]) => text >= first && (end === undefined || text < end))
      .sort(byText)
  }

  /** The groups that a range can touch: one, when it begins within a group and ends no later than the next begins. */
  #groups(first: string, end: string | undefined): Map<string, Change>[] {
    const group = first.slice(0, GROUP_BYTES)
    if (group.length < GROUP_BYTES || end === undefined || end > afterGroup(group)) {
      return [...this.#changes.values()]
    }
    const changes = this.#changes.get(group)
    return changes === undefined ? [] : [changes]
  }
}

/** The least text above every text that begins with the group. */
function afterGroup(group: string): string {
  return group.slice(0, -1) + String.fromCharCode(group.charCodeAt(group.length - 1) + 1)
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
