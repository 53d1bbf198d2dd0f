/**
 * The block ids that a peer holds, kept so that two peers find out how their sets differ without
 * telling each other what they have in common: sorted, with a fingerprint of any range to be had
 * in logarithmic time.
 *
 * A fingerprint is the exclusive or of a keyed hash of each id (MSet-XOR-Hash of Clarke, Devadas,
 * van Dijk, Gassend, Suh: Incremental Multiset Hash Functions, 2003), so it does not depend on the
 * order in which ids came. The key is new for each pair of peers and secret from all others. That
 * matters: whoever may write blocks can choose them so that plain digests add up to what he likes,
 * 257 of them for exclusive ors and some 65,000 for sums of 256 bits (Wagner: A Generalized Birthday
 * Problem, 2002), and then two holders would take different sets for equal. A key that nobody knew
 * when the blocks were made leaves chance: 2^-64 a range.
 *
 * Each way of looking at the ids, a key and perhaps a filter, is a view. Views cost a fifth of a
 * byte a block each, not a copy of the ids.
 */
import type { BlockId } from '../../blocks/index.ts'
import { shareEventLoop } from '../../namespace/index.ts'
import { keyOf } from './inventory-key.ts'
import { Page, VIEWS_MAX } from './inventory-page.ts'
import type { InventoryNode } from './inventory-page.ts'
import { hasKey, insertKey, removeKey } from './inventory-tree.ts'
import { InventoryView } from './inventory-view.ts'
import type { ViewOptions } from './inventory-view.ts'

/** Not thread-safe and not durable: filled again from the store at each start. */
export class Inventory {
  #root: InventoryNode = new Page()
  #size = 0
  /** By slot. */
  readonly #views: (InventoryView | undefined)[] = Array.from({ length: VIEWS_MAX })
  /** Slots, the one used longest ago first. */
  readonly #slots: number[] = Array.from({ length: VIEWS_MAX }, (_, slot) => slot)

  get size(): number {
    return this.#size
  }

  /** Bytes of memory held, about: 45 a block when there are many. */
  get memoryBytes(): number {
    return this.#root.memoryBytes
  }

  has(id: BlockId): boolean {
    return hasKey(this.#root, keyOf(id))
  }

  /** False when it is there already. */
  add(id: BlockId): boolean {
    const { root, changed } = insertKey(this.#root, keyOf(id))
    this.#root = root
    if (changed) this.#size++
    return changed
  }

  /** False when it is not there. */
  delete(id: BlockId): boolean {
    const { root, changed } = removeKey(this.#root, keyOf(id))
    this.#root = root
    if (changed) this.#size--
    return changed
  }

  /** Adds all ids of a store, say. Lets others have their turn. */
  async addAll(
    ids: Iterable<BlockId> | AsyncIterable<BlockId>,
    { signal }: { readonly signal?: AbortSignal } = {}
  ): Promise<void> {
    let sinceTurn = 0
    for await (const id of ids) {
      this.add(id)
      if (++sinceTurn < IDS_PER_TURN) continue
      sinceTurn = 0
      signal?.throwIfAborted()
      await shareEventLoop()
    }
  }

  /** Whether `view` would find its totals counted already. */
  hasView(options: ViewOptions): boolean {
    return this.#find(viewName(options)) !== undefined
  }

  /**
   * The view of this salt and filter; made anew unless it is among the last `VIEWS_MAX` used. A
   * view whose place was taken works on, but counts everything again.
   */
  view(options: ViewOptions): InventoryView {
    const name = viewName(options)
    const found = this.#find(name)
    if (found !== undefined) return found
    return new InventoryView(name, options, {
      root: () => this.#root,
      slot: view => this.#slotOf(view)
    })
  }

  #find(name: string): InventoryView | undefined {
    return this.#views.find(view => view?.name === name)
  }

  #slotOf(view: InventoryView): number {
    let slot = this.#views.indexOf(view)
    if (slot === -1) {
      slot = this.#slots[0]!
      this.#views[slot] = view
      this.#root.forget(1 << slot)
    }
    if (this.#slots.at(-1) !== slot) {
      this.#slots.splice(this.#slots.indexOf(slot), 1)
      this.#slots.push(slot)
    }
    return slot
  }
}

/** About a millisecond of work. */
const IDS_PER_TURN = 512

function viewName({ salt, filter }: ViewOptions): string {
  return `${salt.join('.')} ${filter?.name ?? ''}`
}
