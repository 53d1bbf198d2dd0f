/** Makes trees: the object that callers hold, which only forwards. */
import type { BlockId, BlockStore, StoreOptions } from '../../blocks/index.ts'
import { applyChanges } from './apply.ts'
import type { Side } from './differences.ts'
import { differencesBetween } from './differences.ts'
import { flushNodes, storeFullLeaves } from './flush.ts'
import type { Child } from './inner-node.ts'
import { settled, unflushedBytesOf } from './inner-node.ts'
import type { ReadEntry } from './entry-in-place.ts'
import { OpenLeaf, takeInPlace, takeTreeEntry } from './leaf.ts'
import { Link } from './link.ts'
import { checkAscending, lookUp, lookUpMany } from './lookup.ts'
import { NodeSource } from './node-source.ts'
import type { NodeSourceComponents } from './node-source.ts'
import type { ReachableOptions } from './reachable.ts'
import { reachableFrom } from './reachable.ts'
import { scanRange } from './scan.ts'
import type {
  Change,
  Difference,
  KeyList,
  ScanOptions,
  ScanRange,
  Tree,
  TreeEntry
} from './tree.ts'

/**
 * The tree of a root, which is read when first needed; without one, the empty tree. The reader must
 * find what `flush` stores.
 */
export function createTree(components: NodeSourceComponents, root?: BlockId): Tree {
  const source = new NodeSource(components)
  return new MerkleTree(source, root === undefined ? new OpenLeaf([], 0) : Link.fromId(root))
}

class MerkleTree implements Tree {
  readonly #source: NodeSource
  #root: Child

  constructor(source: NodeSource, root: Child) {
    this.#source = source
    this.#root = root
  }

  get root(): BlockId | undefined {
    const root = this.#settledRoot()
    return root instanceof Link ? root.id : undefined
  }

  get unflushedBytes(): number {
    return unflushedBytesOf(this.#root)
  }

  get(key: Uint8Array, options?: StoreOptions): Promise<TreeEntry | undefined> {
    return lookUp(this.#source, this.#root, key, options)
  }

  async getMany(
    keys: readonly Uint8Array[],
    options?: StoreOptions
  ): Promise<(TreeEntry | undefined)[]> {
    checkAscending(keys)
    return lookUpMany(this.#source, this.#root, { keys, take: takeTreeEntry }, options)
  }

  readMany<Result>(
    keys: KeyList,
    read: ReadEntry<Result>,
    options?: StoreOptions
  ): Promise<(Result | undefined)[]> {
    return lookUpMany(this.#source, this.#root, { keys, take: takeInPlace(read) }, options)
  }

  scan(range: ScanRange, options?: ScanOptions): AsyncGenerator<readonly TreeEntry[]> {
    return scanRange(this.#source, this.#root, { range, take: takeTreeEntry }, options)
  }

  readRange<Result>(
    range: ScanRange,
    read: ReadEntry<Result>,
    options?: ScanOptions
  ): AsyncGenerator<readonly Result[]> {
    return scanRange(this.#source, this.#root, { range, take: takeInPlace(read) }, options)
  }

  async apply(changes: readonly Change[], options?: StoreOptions): Promise<Tree> {
    const before = this.#settledRoot()
    const after = await applyChanges(this.#source, before, changes, options)
    return after === before ? this : new MerkleTree(this.#source, after)
  }

  async flush(
    store: Pick<BlockStore, 'putMany'>,
    options?: StoreOptions
  ): Promise<Tree & { readonly root: BlockId }> {
    const { cache, encoding } = this.#source
    const components = { store, cache, encoding }
    const link = await flushNodes(this.#settledRoot(), components, options)
    this.#settledRoot()
    return new MerkleTree(this.#source, link) as Tree & { readonly root: BlockId }
  }

  storeFullLeaves(store: Pick<BlockStore, 'putMany'>): Promise<void> {
    const { cache, encoding } = this.#source
    return storeFullLeaves(this.#settledRoot(), { store, cache, encoding })
  }

  differences(before: Tree, options?: StoreOptions): AsyncIterable<Difference> {
    if (!(before instanceof MerkleTree)) throw new TypeError('not a tree made by createTree')
    const [left, right] = [before, this].map(tree => ({
      source: tree.#source,
      root: tree.#settledRoot()
    }))
    return differencesBetween(left as Side, right as Side, options)
  }

  reachable(options?: ReachableOptions): AsyncIterable<readonly BlockId[]> {
    const root = this.#settledRoot()
    if (!(root instanceof Link)) throw new TypeError('only a flushed tree has ids to reach')
    return reachableFrom(this.#source, root, options)
  }

  /** Once the root is a block, the nodes below it need not be held any more. */
  #settledRoot(): Child {
    this.#root = settled(this.#root)
    return this.#root
  }
}
