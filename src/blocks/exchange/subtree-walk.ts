/**
 * The order in which a subtree is sent, stated once for both sides: the holder walks it to know
 * what to send, the asker walks along to know what must come.
 *
 * Depth first, parents before what is below them, links in the order of their node. A block that
 * was passed already is left out, as long as the walk remembers it: the first `SUBTREE_SEEN_MAX`
 * blocks. A dag-cbor block that does not read as a node has nothing below it.
 */
import { codecOf } from '../block-id.ts'
import type { BlockId } from '../block-id.ts'
import { readNodeLinks } from '../node-links.ts'
import { WarrenError } from '../../errors.ts'
import type { LinksWithin, SubtreeWant } from './messages.ts'
import { SUBTREE_DEPTH_MAX, SUBTREE_LINKS_MAX, SUBTREE_SEEN_MAX } from './limits.ts'

interface Level {
  readonly links: readonly BlockId[]
  position: number
}

export interface SubtreeWalkOptions {
  readonly nodesOnly?: boolean | undefined
  /** Which links of a node are followed. Default: all of them. */
  readonly linksOf?: ((node: Uint8Array) => readonly BlockId[]) | undefined
}

export class SubtreeWalk {
  readonly #nodesOnly: boolean
  readonly #linksOf: (node: Uint8Array) => readonly BlockId[]
  readonly #levels: Level[]
  readonly #seen = new Set<BlockId>()
  #links = 1

  constructor(root: BlockId, options: SubtreeWalkOptions = {}) {
    this.#nodesOnly = options.nodesOnly ?? false
    this.#linksOf = options.linksOf ?? allLinksOf
    this.#levels = [{ links: [root], position: 0 }]
  }

  /** Takes the next block of the order; `undefined` at the end. */
  next(): BlockId | undefined {
    while (true) {
      const level = this.#levels.at(-1)
      if (level === undefined) return undefined
      const id = level.links[level.position++]
      if (id === undefined) {
        this.#links -= level.links.length
        this.#levels.pop()
      } else if (!this.#leavesOut(id)) {
        if (this.#seen.size < SUBTREE_SEEN_MAX) this.#seen.add(id)
        return id
      }
    }
  }

  /**
   * Goes below the block that `next` gave last, if it is a node. Throws `EFBIG` when the tree is
   * deeper or wider than anything honest.
   */
  enter(id: BlockId, bytes: Uint8Array): void {
    if (codecOf(id) === 'raw') return
    const links = this.#linksOf(bytes)
    if (links.length === 0) return
    this.#links += links.length
    if (this.#links > SUBTREE_LINKS_MAX || this.#levels.length >= SUBTREE_DEPTH_MAX) {
      throw new WarrenError('EFBIG', {
        message: `a subtree with ${this.#levels.length} levels and ${this.#links} links in sight`
      })
    }
    this.#levels.push({ links, position: 0 })
  }

  /**
   * Up to `count` blocks that will come next as far as is known now, and not beyond the
   * `nodesMax`th node among them, because what is below nodes comes first.
   */
  upcoming(count: number, nodesMax: number): BlockId[] {
    const found: BlockId[] = []
    let nodes = 0
    for (let depth = this.#levels.length - 1; depth >= 0; depth--) {
      const { links, position } = this.#levels[depth]!
      for (let i = position; i < links.length; i++) {
        const id = links[i]!
        if (this.#leavesOut(id)) continue
        found.push(id)
        if (codecOf(id) !== 'raw') nodes++
        if (found.length >= count || nodes >= nodesMax) return found
      }
    }
    return found
  }

  #leavesOut(id: BlockId): boolean {
    return this.#seen.has(id) || (this.#nodesOnly && this.#seen.size > 0 && codecOf(id) === 'raw')
  }
}

/** The walk that both sides of a want make. */
export function walkOfWant(want: SubtreeWant, linksWithin: LinksWithin | undefined): SubtreeWalk {
  const { root, nodesOnly = false, within } = want
  if (within === undefined) return new SubtreeWalk(root, { nodesOnly })
  if (linksWithin === undefined) throw new TypeError('a want of a range, and no way to read nodes')
  const linksOf = (node: Uint8Array): readonly BlockId[] => linksWithin(node, within, { nodesOnly })
  return new SubtreeWalk(root, { nodesOnly, linksOf })
}

function allLinksOf(bytes: Uint8Array): readonly BlockId[] {
  try {
    return readNodeLinks(bytes)
  } catch {
    return []
  }
}
