/**
 * Loads many nodes in order: those in memory from there, all others as one stream from the reader,
 * so that a walk over a remote tree is a flow of nodes and not a round trip for each.
 */
import type { Block, BlockId } from '../../blocks/index.ts'
import type { TreeNode } from './inner-node.ts'
import type { LoadOptions, NodeSource, PlacedChild } from './node-source.ts'

/**
 * Sections that may be looked into beyond the one being handed out. The reader's window bounds what
 * is fetched ahead; this bounds how far a walk runs ahead where it finds everything in memory.
 */
const SECTIONS_AHEAD_MAX = 8

/** Every node in the order asked. Stop early by `return`, as `for await` does. */
export async function* loadEach(
  source: NodeSource,
  children: readonly PlacedChild[],
  options?: LoadOptions
): AsyncGenerator<TreeNode> {
  const missing = children.filter(({ child }) => source.isMissing(child))
  if (missing.length > 1) {
    yield* loadSections(source, [children][Symbol.iterator](), options)
    return
  }
  for (const placed of children) yield source.loadPlaced(placed, options)
}

/** The same for children that are found while others are handed out: sections of them, in order. */
export async function* loadSections(
  source: NodeSource,
  sections: Iterator<readonly PlacedChild[]> | AsyncIterator<readonly PlacedChild[]>,
  options?: LoadOptions
): AsyncGenerator<TreeNode> {
  const stream = new SectionStream(source, sections, options)
  try {
    for (let index = 0; ; index++) {
      const section = await stream.begin(index)
      if (section === undefined) return
      for (const placed of section.children) {
        const asked = section.asked.has(placed)
        yield asked
          ? source.receive(placed, await stream.next(), options)
          : source.loadPlaced(placed, options)
      }
    }
  } finally {
    await stream.close()
  }
}

interface Section {
  readonly children: readonly PlacedChild[]
  /** Those that come from the stream: decided once, for the half that asks and the half that takes. */
  readonly asked: ReadonlyMap<PlacedChild, BlockId>
  streamed: boolean
}

class SectionStream {
  readonly #source: NodeSource
  readonly #sections: Iterator<readonly PlacedChild[]> | AsyncIterator<readonly PlacedChild[]>
  readonly #options: LoadOptions | undefined
  /** Sections from the current one on, as far as they were looked into. */
  readonly #known = new Map<number, Promise<Section | undefined>>()
  #current = 0
  #blocks: AsyncIterator<Block> | undefined
  /** True while more may be asked for on the stream under way. */
  #asking = false

  constructor(
    source: NodeSource,
    sections: Iterator<readonly PlacedChild[]> | AsyncIterator<readonly PlacedChild[]>,
    options: LoadOptions | undefined
  ) {
    this.#source = source
    this.#sections = sections
    this.#options = options
  }

  /** The section to hand out now; undefined after the last. */
  async begin(index: number): Promise<Section | undefined> {
    this.#known.delete(index - 1)
    this.#current = index
    const section = await this.#section(index)
    // While a stream is asking it comes to this section next: nothing before it is left to ask for.
    if (section !== undefined && section.asked.size > 0 && !section.streamed && !this.#asking) {
      await this.#blocks?.return?.()
      this.#asking = true
      const blocks = this.#source.reader.getMany(this.#ids(index), this.#options)
      this.#blocks = blocks[Symbol.asyncIterator]()
    }
    return section
  }

  async next(): Promise<Block | undefined> {
    const next = await this.#blocks?.next()
    this.#options?.signal?.throwIfAborted()
    return next?.done === false ? next.value : undefined
  }

  async close(): Promise<void> {
    await this.#blocks?.return?.()
    // Not waited for: it may be reading what nobody needs any more.
    Promise.resolve(this.#sections.return?.()).catch(() => {})
  }

  async *#ids(from: number): AsyncGenerator<BlockId> {
    try {
      let index = from
      while (index <= this.#current + SECTIONS_AHEAD_MAX) {
        const section = await this.#section(index)
        if (section === undefined) return
        section.streamed = true
        yield* section.asked.values()
        // Sections with nothing to ask for may have been handed out meanwhile.
        index = Math.max(index + 1, this.#current)
      }
    } finally {
      this.#asking = false
    }
  }

  #section(index: number): Promise<Section | undefined> {
    let section = this.#known.get(index)
    if (section === undefined) {
      section = this.#look()
      // The half that meets it first is told of a failure; the other may be gone by then.
      section.catch(() => {})
      this.#known.set(index, section)
    }
    return section
  }

  async #look(): Promise<Section | undefined> {
    const next = await this.#sections.next()
    if (next.done === true) return undefined
    const asked = new Map<PlacedChild, BlockId>()
    for (const placed of next.value) {
      if (this.#source.isMissing(placed.child)) asked.set(placed, placed.child.id)
    }
    return { children: next.value, asked, streamed: false }
  }
}
