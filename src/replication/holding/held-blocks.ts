/**
 * What is known of the blocks of one held volume: the nodes of the versions that are held or being
 * got, the data blocks below them that are here or should be, and what links to what.
 *
 * Every block counts how often it is linked to from nodes that are known, roots once more. So
 * versions share what they have in common, and letting go of one costs what only it had: neither a
 * walk nor a read. Data that is neither ours nor here is not in it at all.
 *
 * Memory: about 60 bytes a block beside the inventory, 4 for each link to one, and 150 more for a
 * node that links to anything in here.
 */
import { codecOf } from '../../blocks/index.ts'
import type { BlockId } from '../../blocks/index.ts'
import { Inventory } from '../inventory/inventory.ts'
import type { Key } from '../inventory/inventory-key.ts'
import { BlockTable } from './block-table.ts'
import { NO_POLICY } from './part.ts'

/** Bits of a state. What a node is got for needs no bit; data may be here without being ours. */
const NODE = 1
/** It was got, and may be lost again if the store refuses it. */
const ARRIVED = 2
/** It is in the store. */
const HERE = 4
const PRESENT: number = ARRIVED | HERE
/** Data: placement gives it to us. Node: its links are known. */
const OURS = 8
const LOADED = 8
/** Node: it links to data. */
const HAS_DATA = 16
/** Data that is not ours: it was in the store already, and may be there because it was read. */
const FOUND = 16
/** Node: which of its data is ours was decided by the rules that hold. */
const DECIDED = 32
/** Node: everything below it is loaded. */
const COMPLETE = 64
/** As many others as should have it have said that they do. */
const CONFIRMED = 128

const NO_LINKS = new Uint32Array(0)

export class HeldBlocks {
  readonly inventory: Inventory = new Inventory()
  readonly #table: BlockTable
  readonly #links = new Map<number, Uint32Array>()
  /** Bytes of what is here, but for what was found and is not ours. */
  heldBytes = 0
  /** Bytes of what should be here and is not, as far as sizes are known. */
  wantedBytes = 0
  /** Blocks that should be here and are not. */
  wanted = 0
  /** Data blocks that are here and not ours. */
  surplus = 0
  /** Blocks that are here and of which nobody has said how large they are. */
  unsized = 0

  constructor(random: () => number) {
    this.#table = new BlockTable(random)
  }

  get count(): number {
    return this.#table.count
  }

  /** Every number is below this. */
  get end(): number {
    return this.#table.end
  }

  get memoryBytes(): number {
    return this.#table.memoryBytes
  }

  /** -1: unknown. */
  find(id: BlockId): number {
    return this.#table.find(id)
  }

  findKey(key: Key): number {
    return this.#table.findKey(key)
  }

  idOf(block: number): BlockId {
    return this.#table.idOf(block)
  }

  isNode(block: number): boolean {
    return this.#has(block, NODE)
  }

  isPresent(block: number): boolean {
    return this.#has(block, PRESENT)
  }

  isWanted(block: number): boolean {
    return isWanted(this.#table.states[block]!) && this.#table.references[block]! > 0
  }

  isSurplus(block: number): boolean {
    return isSurplus(this.#table.states[block]!)
  }

  /** It is in the store, and not on its way out. */
  isHeld(block: number): boolean {
    return this.#has(block, HERE) && this.#has(block, NODE | OURS)
  }

  /** A data block that is kept: ours, or here and not yet known to be elsewhere. */
  isKept(block: number): boolean {
    return this.#has(block, OURS | PRESENT)
  }

  isLoaded(node: number): boolean {
    return this.#has(node, LOADED)
  }

  isComplete(node: number): boolean {
    return this.#has(node, COMPLETE)
  }

  /** Which of its data is ours has to be decided. */
  isUndecided(node: number): boolean {
    return (this.#table.states[node]! & (NODE | HAS_DATA | DECIDED)) === (NODE | HAS_DATA)
  }

  isConfirmed(block: number): boolean {
    return this.#has(block, CONFIRMED)
  }

  /** What should be here, or is and stays. */
  *ours(): Generator<number> {
    for (let block = 0; block < this.end; block++) {
      const isLinked = this.#table.references[block]! > 0
      if (isLinked && this.#has(block, NODE | OURS)) yield block
    }
  }

  /** What should be here, or is because we hold it. */
  *counted(): Generator<number> {
    for (let block = 0; block < this.end; block++) {
      const state = this.#table.states[block]!
      const isLinked = this.#table.references[block]! > 0
      if (isLinked && (isCounted(state) || isWanted(state))) yield block
    }
  }

  sizeOf(block: number): number {
    return this.#table.sizes[block]!
  }

  /** Bytes that the block adds to what is held or wanted. */
  countedBytesOf(block: number): number {
    const state = this.#table.states[block]!
    return isWanted(state) || isCounted(state) ? this.#table.sizes[block]! : 0
  }

  policyOf(block: number): number {
    return this.#table.policies[block]!
  }

  linksOf(node: number): Uint32Array {
    return this.#links.get(node) ?? NO_LINKS
  }

  /** Gives a block its number without a reference: link to it, or `retain` it, before anything else. */
  add(id: BlockId): number {
    const known = this.#table.find(id)
    if (known >= 0) return known
    const block = this.#table.add(id)
    if (codecOf(id) !== 'raw') this.wanted++
    return block
  }

  /** The same for data. */
  addData(key: Key): number {
    return this.#table.addKey(key)
  }

  retain(block: number): void {
    this.#table.references[block]!++
  }

  /** Undoes one `retain`. What nothing links to any more is forgotten, with all below it. */
  release(block: number): void {
    const pending = [block]
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (--this.#table.references[next]! > 0) continue
      for (const link of this.linksOf(next)) pending.push(link)
      this.#forget(next)
    }
  }

  /** A node was read: these are the nodes it links to. Whether it links to data decides what follows. */
  load(node: number, children: readonly number[], hasData: boolean): void {
    this.#setState(node, this.#table.states[node]! | LOADED | (hasData ? HAS_DATA : 0))
    this.#setLinks(node, children)
  }

  complete(node: number): void {
    this.#setState(node, this.#table.states[node]! | COMPLETE)
  }

  /** Which data of a node is in here. */
  decide(node: number, data: readonly number[]): void {
    const children: number[] = []
    for (const link of this.linksOf(node)) if (this.isNode(link)) children.push(link)
    this.#setState(node, this.#table.states[node]! | DECIDED)
    this.#setLinks(node, [...children, ...data])
  }

  /** What is ours has to be decided anew. Until then nothing that is here is given up. */
  undecideAll(): void {
    for (let block = 0; block < this.end; block++) {
      if (this.#table.references[block] === 0) continue
      const bits = this.isNode(block) ? DECIDED | CONFIRMED : OURS | CONFIRMED
      this.#setState(block, this.#table.states[block]! & ~bits)
      this.#table.policies[block] = NO_POLICY
    }
  }

  /** A data block is ours. */
  setOurs(block: number): void {
    this.#setState(block, (this.#table.states[block]! | OURS) & ~FOUND)
  }

  /** A data block that was not known to be here is in the store. */
  found(block: number): void {
    if (!this.#has(block, OURS)) this.#setState(block, this.#table.states[block]! | FOUND)
    this.settle(block)
  }

  setPolicy(block: number, policy: number): void {
    this.#table.policies[block] = policy
  }

  setSize(block: number, bytes: number): void {
    this.#count(block, -1)
    this.#table.sizes[block] = bytes
    this.#count(block, 1)
  }

  /** It was got; `settle` when the store has it. */
  arrive(block: number, bytes: number): void {
    this.setSize(block, bytes)
    if (!this.isPresent(block)) this.#setState(block, this.#table.states[block]! | ARRIVED)
  }

  /** It is in the store. */
  settle(block: number): void {
    this.#setState(block, (this.#table.states[block]! | HERE) & ~ARRIVED)
    this.inventory.add(this.idOf(block))
  }

  /** It is not here, or not any more. */
  lose(block: number): void {
    if (!this.isPresent(block)) return
    this.inventory.delete(this.idOf(block))
    const foundToo = this.isNode(block) ? 0 : FOUND
    this.#setState(block, this.#table.states[block]! & ~(PRESENT | CONFIRMED | foundToo))
  }

  confirm(block: number): void {
    this.#setState(block, this.#table.states[block]! | CONFIRMED)
  }

  /** What would be forgotten with one reference to this block less. */
  onlyBelow(block: number): Set<number> {
    const gone = new Set<number>()
    const left = new Map<number, number>()
    const pending = [block]
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const references = (left.get(next) ?? this.#table.references[next]!) - 1
      left.set(next, references)
      if (references > 0) continue
      gone.add(next)
      for (const link of this.linksOf(next)) pending.push(link)
    }
    return gone
  }

  #has(block: number, bits: number): boolean {
    return (this.#table.states[block]! & bits) !== 0
  }

  #setLinks(node: number, links: readonly number[]): void {
    const before = this.linksOf(node)
    for (const link of links) this.retain(link)
    if (links.length === 0) this.#links.delete(node)
    else this.#links.set(node, Uint32Array.from(links))
    for (const link of before) this.release(link)
  }

  #forget(block: number): void {
    if (this.isPresent(block)) this.inventory.delete(this.idOf(block))
    this.#count(block, -1)
    this.#links.delete(block)
    this.#table.remove(block)
  }

  #setState(block: number, state: number): void {
    this.#count(block, -1)
    this.#table.states[block] = state
    this.#count(block, 1)
  }

  /** Adds a block to the sums, or takes it out. */
  #count(block: number, sign: 1 | -1): void {
    const state = this.#table.states[block]!
    const bytes = sign * this.#table.sizes[block]!
    if (isCounted(state)) this.heldBytes += bytes
    if ((state & PRESENT) !== 0 && bytes === 0) this.unsized += sign
    if (isSurplus(state)) this.surplus += sign
    if (!isWanted(state)) return
    this.wanted += sign
    this.wantedBytes += bytes
  }
}

function isWanted(state: number): boolean {
  return (state & (NODE | OURS)) !== 0 && (state & PRESENT) === 0
}

function isSurplus(state: number): boolean {
  return (state & (NODE | OURS)) === 0 && (state & PRESENT) !== 0
}

/** Here, and because we hold it. */
function isCounted(state: number): boolean {
  return (state & PRESENT) !== 0 && (state & (NODE | FOUND)) !== FOUND
}
