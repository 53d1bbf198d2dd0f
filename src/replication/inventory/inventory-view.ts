/**
 * An inventory as one pair of peers compares it: the ids that a filter lets through, with
 * fingerprints under one key. All answers are about this instant; nothing here waits except
 * `prepare`.
 */
import type { BlockId } from '../../blocks/index.ts'
import { shareEventLoop } from '../../namespace/index.ts'
import { chaskey, createChaskeyKey } from './chaskey.ts'
import type { ChaskeyKey } from './chaskey.ts'
import { DIGEST_WORDS, KEY_WORDS, boundBetween, idOf } from './inventory-key.ts'
import type { Key, KeyRange } from './inventory-key.ts'
import { Page, TOTAL_WORDS } from './inventory-page.ts'
import type { InventoryNode } from './inventory-page.ts'

export interface InventoryFilter {
  /** Two filters of one name let the same ids through: the answers of the first are remembered. */
  readonly name: string
  /** Asked once for each id. Must always say the same. */
  readonly includes: (id: BlockId) => boolean
}

export interface ViewOptions {
  /** The key of the fingerprints, 16 bytes, which only the two peers that compare should know. */
  readonly salt: Uint8Array
  /** Which ids belong. Default: all. */
  readonly filter?: InventoryFilter | undefined
}

/** Bytes of a fingerprint, and of the keyed hash of one id. */
export const TAG_BYTES = 8

export interface RangeTotal {
  readonly count: number
  /** Two words. */
  readonly fingerprint: Uint32Array
}

export interface RangePart extends RangeTotal {
  readonly range: KeyRange
}

export interface InventorySource {
  readonly root: () => InventoryNode
  /** Where the totals of a view stand; takes the place of another view if need be. */
  readonly slot: (view: InventoryView) => number
}

const WHOLE: KeyRange = { from: undefined, to: undefined }

export class InventoryView {
  readonly name: string
  readonly #key: ChaskeyKey
  readonly #filter: InventoryFilter | undefined
  readonly #source: InventorySource
  /** Reused, since nothing here waits. */
  readonly #tag: Uint32Array = new Uint32Array(2)

  constructor(name: string, options: ViewOptions, source: InventorySource) {
    this.name = name
    this.#key = createChaskeyKey(options.salt)
    this.#filter = options.filter
    this.#source = source
  }

  /** Counts everything that is not counted yet, and lets others have their turn meanwhile. */
  async prepare({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const slot = this.#source.slot(this)
    for (const page of pagesToCount(this.#source.root(), 1 << slot)) {
      signal?.throwIfAborted()
      // Other views took our place: what is missing is counted when it is asked for.
      if (this.#source.slot(this) !== slot) break
      this.#countPage(page, slot)
      await shareEventLoop()
    }
    this.total()
  }

  total(range: KeyRange = WHOLE): RangeTotal {
    const slot = this.#source.slot(this)
    const sum = new Sum()
    this.#addRange(this.#source.root(), range, slot, sum)
    return { count: sum.count, fingerprint: sum.fingerprint }
  }

  /** As `total`, without the fingerprint and so without hashing. */
  count(range: KeyRange): number {
    const slot = this.#source.slot(this)
    let sum = 0
    const visit = (node: InventoryNode, inside: KeyRange): boolean => {
      if (inside.from === undefined && inside.to === undefined) {
        this.#count(node, slot)
        sum += node.totals[slot * TOTAL_WORDS]!
      } else if (node instanceof Page) {
        const [start, end] = rowsOf(node, inside)
        for (let row = start; row < end; row++) {
          if (this.#isInside(node, row, 1 << slot)) sum++
        }
      } else {
        forEachChild(node, inside, visit)
      }
      return true
    }
    visit(this.#source.root(), range)
    return sum
  }

  /** Parts of a range that hold about as many ids each; fewer when there are fewer ids, at least one. */
  split(range: KeyRange, parts: number): RangePart[] {
    const count = this.count(range)
    const splitter = new Splitter(range, { count, parts: Math.max(1, Math.min(parts, count)) })
    this.#splitInto(this.#source.root(), range, this.#source.slot(this), splitter, undefined)
    return splitter.end()
  }

  /** The keys of a range in order, at most so many, joined: `KEY_WORDS` each. */
  keys(range: KeyRange, countMax: number = Infinity): Uint32Array {
    const words: number[] = []
    this.#visit(range, (page, row) => {
      if (words.length === KEY_WORDS * countMax) return false
      for (let i = 0; i < DIGEST_WORDS; i++) words.push(page.words[row * DIGEST_WORDS + i]!)
      words.push(page.codecAt(row))
      return true
    })
    return Uint32Array.from(words)
  }

  /** The keyed hashes of the ids of a range in the order of the ids, two words each. */
  tags(range: KeyRange): Uint32Array {
    const words: number[] = []
    this.#visit(range, (page, row) => {
      this.#hash(page, row)
      words.push(this.#tag[0]!, this.#tag[1]!)
      return true
    })
    return Uint32Array.from(words)
  }

  /** Ids at random places, each as likely as the others; fewer when there are fewer. May repeat. */
  sample(count: number, random: () => number): BlockId[] {
    const { count: size } = this.total()
    if (size === 0) return []
    return Array.from({ length: count }, () => this.#at(Math.floor(random() * size)))
  }

  #at(rank: number): BlockId {
    const slot = this.#source.slot(this)
    const bit = 1 << slot
    let node = this.#source.root()
    let left = rank
    while (!(node instanceof Page)) {
      for (const child of node.children) {
        this.#count(child, slot)
        const count = child.totals[slot * TOTAL_WORDS]!
        node = child
        if (left < count) break
        left -= count
      }
    }
    for (let row = 0; row < node.count; row++) {
      if (!this.#isInside(node, row, bit) || left-- > 0) continue
      return idOf(node.words, row * DIGEST_WORDS, node.codecAt(row))
    }
    throw new RangeError(`no id at ${rank}`)
  }

  /** Calls back for each id of the range that belongs to the view, until that returns false. */
  #visit(range: KeyRange, callback: (page: Page, row: number) => boolean): void {
    const slot = this.#source.slot(this)
    const visit = (node: InventoryNode, inside: KeyRange): boolean => {
      if (node instanceof Page) {
        const [start, end] = rowsOf(node, inside)
        for (let row = start; row < end; row++) {
          if (this.#isInside(node, row, 1 << slot) && !callback(node, row)) return false
        }
        return true
      }
      return forEachChild(node, inside, visit)
    }
    visit(this.#source.root(), range)
  }

  #addRange(node: InventoryNode, range: KeyRange, slot: number, sum: Sum): void {
    if (range.from === undefined && range.to === undefined) {
      this.#count(node, slot)
      sum.addNode(node, slot)
    } else if (node instanceof Page) {
      const [start, end] = rowsOf(node, range)
      for (let row = start; row < end; row++) this.#addRow(node, row, slot, sum)
    } else {
      forEachChild(node, range, (child, inside) => {
        this.#addRange(child, inside, slot, sum)
        return true
      })
    }
  }

  /** `low`: a bound at or below everything of the node, and above all before it. */
  #splitInto(
    node: InventoryNode,
    range: KeyRange,
    slot: number,
    splitter: Splitter,
    low: Key | undefined
  ): void {
    if (range.from === undefined && range.to === undefined) {
      this.#count(node, slot)
      if (splitter.takes(node.totals[slot * TOTAL_WORDS]!)) return splitter.sum.addNode(node, slot)
    }
    if (node instanceof Page) {
      const [start, end] = rowsOf(node, range)
      for (let row = start; row < end; row++) {
        if (!this.#isInside(node, row, 1 << slot)) continue
        if (!splitter.takes(1)) splitter.begin(boundBefore(node, row, low))
        this.#addRow(node, row, slot, splitter.sum)
      }
      return
    }
    forEachChild(node, range, (child, inside, index) => {
      this.#splitInto(child, inside, slot, splitter, index === 0 ? low : node.lows[index])
      return true
    })
  }

  /** Makes the totals of a node right. */
  #count(node: InventoryNode, slot: number): void {
    if ((node.counted & (1 << slot)) !== 0) return
    if (node instanceof Page) return this.#countPage(node, slot)
    const sum = new Sum()
    for (const child of node.children) {
      this.#count(child, slot)
      sum.addNode(child, slot)
    }
    sum.storeAt(node, slot)
  }

  #countPage(page: Page, slot: number): void {
    const sum = new Sum()
    for (let row = 0; row < page.count; row++) this.#addRow(page, row, slot, sum)
    sum.storeAt(page, slot)
  }

  #addRow(page: Page, row: number, slot: number, sum: Sum): void {
    if (!this.#isInside(page, row, 1 << slot)) return
    this.#hash(page, row)
    sum.add(this.#tag)
  }

  #hash(page: Page, row: number): void {
    chaskey(this.#key, page.words, row * DIGEST_WORDS, page.codecAt(row), this.#tag)
  }

  #isInside(page: Page, row: number, bit: number): boolean {
    if (this.#filter === undefined) return true
    const known = page.isInside(row, bit)
    if (known !== undefined) return known
    const inside = this.#filter.includes(idOf(page.words, row * DIGEST_WORDS, page.codecAt(row)))
    page.setInside(row, bit, inside)
    return inside
  }
}

/** Where a tag stands in a list of tags, two words each; -1: nowhere. */
export function placeOf(tags: Uint32Array, first: number, second: number): number {
  for (let at = 0; at < tags.length; at += 2) {
    if (tags[at] === first && tags[at + 1] === second) return at >>> 1
  }
  return -1
}

/** Counts ids and adds up their hashes. */
class Sum {
  count = 0
  readonly fingerprint: Uint32Array = new Uint32Array(2)

  add(tag: Uint32Array): void {
    this.count++
    this.fingerprint[0]! ^= tag[0]!
    this.fingerprint[1]! ^= tag[1]!
  }

  addNode({ totals }: InventoryNode, slot: number): void {
    const at = slot * TOTAL_WORDS
    this.count += totals[at]!
    this.fingerprint[0]! ^= totals[at + 1]!
    this.fingerprint[1]! ^= totals[at + 2]!
  }

  storeAt(node: InventoryNode, slot: number): void {
    const totals = node.ensureTotals()
    const at = slot * TOTAL_WORDS
    totals[at] = this.count
    totals[at + 1] = this.fingerprint[0]!
    totals[at + 2] = this.fingerprint[1]!
    node.counted |= 1 << slot
  }
}

/** Deals the ids of a range out to parts, in order. */
class Splitter {
  readonly #range: KeyRange
  readonly #count: number
  readonly #parts: number
  readonly #done: RangePart[] = []
  #from: Key | undefined
  sum = new Sum()

  constructor(
    range: KeyRange,
    { count, parts }: { readonly count: number; readonly parts: number }
  ) {
    this.#range = range
    this.#from = range.from
    this.#count = count
    this.#parts = parts
  }

  /** Whether the part that is being filled has room for so many more. */
  takes(count: number): boolean {
    const index = this.#done.length
    const start = Math.floor((index * this.#count) / this.#parts)
    const end = Math.floor(((index + 1) * this.#count) / this.#parts)
    return this.sum.count + count <= end - start
  }

  begin(from: Key): void {
    this.#finish(from)
    this.#from = from
  }

  end(): RangePart[] {
    this.#finish(this.#range.to)
    return this.#done
  }

  #finish(to: Key | undefined): void {
    const { count, fingerprint } = this.sum
    this.#done.push({ range: { from: this.#from, to }, count, fingerprint })
    this.sum = new Sum()
  }
}

function rowsOf(page: Page, { from, to }: KeyRange): [start: number, end: number] {
  const start = from === undefined ? 0 : page.rowFrom(from)
  return [start, to === undefined ? page.count : page.rowFrom(to)]
}

/** Visits the children that a range touches, each with what of the range it may not fill. */
function forEachChild(
  node: Exclude<InventoryNode, Page>,
  { from, to }: KeyRange,
  visit: (child: InventoryNode, range: KeyRange, index: number) => boolean
): boolean {
  const first = from === undefined ? 0 : node.indexOf(from)
  const last = to === undefined ? node.children.length - 1 : node.indexOf(to)
  for (let index = first; index <= last; index++) {
    const range = {
      from: index === first ? from : undefined,
      to: index === last ? to : undefined
    }
    if (!visit(node.children[index]!, range, index)) return false
  }
  return true
}

/** A short bound between a row and whatever is before it. */
function boundBefore(page: Page, row: number, low: Key | undefined): Key {
  if (row > 0) return boundBetween(page.keyAt(row - 1), page.keyAt(row))
  return low ?? page.keyAt(row)
}

function* pagesToCount(node: InventoryNode, bit: number): Generator<Page> {
  if ((node.counted & bit) !== 0) return
  if (node instanceof Page) return yield node
  // Children may come and go while the event loop is shared; what is missed is counted later.
  for (const child of node.children) yield* pagesToCount(child, bit)
}
