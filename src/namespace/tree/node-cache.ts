/**
 * Decoded nodes by id, bounded in bytes, one cache for all volumes of a peer: their trees share
 * nodes, and a bound per volume would be none.
 *
 * What goes first is decided by second chance: a hit costs a flag and not a move in a list, and
 * hits are what happens a million times a second. What was written has a part of its own until
 * somebody asks for it: a long import writes what nobody may ever read, and would fill all of it.
 */
import type { BlockEncoding, BlockId, BlockReader, GetOptions } from '../../blocks/index.ts'
import type { StoredNode } from './node.ts'
import { decodeNode } from './node.ts'
import { SharedRead } from './shared-read.ts'

/** Enough for the nodes of some 300,000 small entries. */
export const NODE_CACHE_BYTES_DEFAULT: number = 32 * 1024 * 1024

/** One part in so many is for nodes that were written and not asked for yet. */
const WRITTEN_SHARE = 4

export interface NodeCacheOptions {
  /** Bytes of memory that cached nodes may take, about. Default `NODE_CACHE_BYTES_DEFAULT`. */
  readonly bytesMax?: number
}

/** Where a tree's nodes are read. */
export interface NodePlace {
  readonly reader: BlockReader
  /** How its nodes are stored, where that is not as they are. */
  readonly encoding?: BlockEncoding | undefined
}

interface CachedNode {
  readonly node: StoredNode
  readonly encoding: BlockEncoding | undefined
  readonly bytes: number
  used: boolean
}

export function createNodeCache(options: NodeCacheOptions = {}): NodeCache {
  return new NodeCache(options.bytesMax ?? NODE_CACHE_BYTES_DEFAULT)
}

export class NodeCache {
  readonly #bytesMax: number
  readonly #nodes = new Map<BlockId, CachedNode>()
  /** Those that were written, and not asked for when they were last looked at. */
  readonly #written = new Map<BlockId, CachedNode>()
  #writtenBytes = 0
  /** Reads under way. One reader may find what another cannot, so they share only their own. */
  readonly #reads = new WeakMap<BlockReader, Map<BlockId, SharedRead<StoredNode>>>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Bytes of memory taken, about. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * What was opened with the key of one volume is shown to its trees only: those of another may
   * name nodes that their readers have no key for.
   */
  peek(id: BlockId, encoding?: BlockEncoding): StoredNode | undefined {
    const cached = this.#nodes.get(id) ?? this.#written.get(id)
    if (cached === undefined || cached.encoding !== encoding) return undefined
    cached.used = true
    return cached.node
  }

  /** Keeps a node; `block` must be its own buffer, or more memory is held than counted. */
  put(id: BlockId, node: StoredNode, encoding?: BlockEncoding): void {
    if (this.#has(id)) return
    const bytes = node.memoryBytes
    this.#nodes.set(id, { node, encoding, bytes, used: false })
    this.#bytes += bytes
    this.#evict()
  }

  /** As `put`, for a node that was made here and that nobody has asked for. */
  putWritten(id: BlockId, node: StoredNode, encoding?: BlockEncoding): void {
    if (this.#has(id)) return
    const bytes = node.memoryBytes
    this.#written.set(id, { node, encoding, bytes, used: false })
    this.#bytes += bytes
    this.#writtenBytes += bytes
    this.#evictWritten()
    this.#evict()
  }

  #has(id: BlockId): boolean {
    return this.#nodes.has(id) || this.#written.has(id)
  }

  /** True when somebody is reading this node through this reader right now. */
  isReading(reader: BlockReader, id: BlockId): boolean {
    return this.#reads.get(reader)?.has(id) ?? false
  }

  /** The node, from memory or else from the reader; whoever misses it at the same time shares one read. */
  async read(place: NodePlace, id: BlockId, options?: GetOptions): Promise<StoredNode> {
    options?.signal?.throwIfAborted()
    const { reader, encoding } = place
    const cached = this.peek(id, encoding)
    if (cached !== undefined) return cached
    const reads = this.#readsOf(reader)
    let read = reads.get(id)
    if (read === undefined) {
      const own = new SharedRead(async signal => {
        const node = decodeOwned(await reader.get(id, { signal, descent: options?.descent }))
        this.put(id, node, encoding)
        return node
      })
      own.onEnd(() => {
        if (reads.get(id) === own) reads.delete(id)
      })
      reads.set(id, own)
      read = own
    }
    return read.wait(options?.signal)
  }

  #readsOf(reader: BlockReader): Map<BlockId, SharedRead<StoredNode>> {
    let reads = this.#reads.get(reader)
    if (reads === undefined) {
      reads = new Map()
      this.#reads.set(reader, reads)
    }
    return reads
  }

  #evictWritten(): void {
    for (const [id, cached] of this.#written) {
      if (this.#writtenBytes <= this.#bytesMax / WRITTEN_SHARE) return
      this.#written.delete(id)
      this.#writtenBytes -= cached.bytes
      if (cached.used) {
        cached.used = false
        this.#nodes.set(id, cached)
      } else {
        this.#bytes -= cached.bytes
      }
    }
  }

  #evict(): void {
    while (this.#bytes > this.#bytesMax) {
      const [oldest] = this.#nodes
      if (oldest === undefined) return
      const [id, cached] = oldest
      this.#nodes.delete(id)
      if (cached.used) {
        cached.used = false
        this.#nodes.set(id, cached)
      } else {
        this.#bytes -= cached.bytes
      }
    }
  }
}

/** A small view would keep the large buffer it looks into (a network frame, say) alive: copy it out. */
export function decodeOwned(bytes: Uint8Array): StoredNode {
  const whole = bytes.length === bytes.buffer.byteLength
  return decodeNode(whole ? bytes : new Uint8Array(bytes))
}
