/**
 * Keeps the decisions which data is ours up to date: for nodes that are new, and for all of them
 * when the part or what the policies of directories reach has changed.
 */
import type { BlockReader, CollectableBlockStore } from '../../blocks/index.ts'
import type { BlockId } from '../../blocks/index.ts'
import { isWarrenError } from '../../errors.ts'
import { TreeSnapshot, createNodeCache, createTree, shareEventLoop } from '../../namespace/index.ts'
import { decideData } from './decide-data.ts'
import { NO_FOLDERS, changedPolicies, findFolderPolicies } from './folder-policies.ts'
import type { FolderPolicies } from './folder-policies.ts'
import type { HeldBlocks } from './held-blocks.ts'
import { INODES_AT_ONCE, NODE_CACHE_BYTES } from './limits.ts'
import type { Part } from './part.ts'
import { pullBlocks } from './pull-blocks.ts'
import type { PullComponents, Wanted } from './pull-blocks.ts'

export interface PartDecisionsComponents {
  readonly blocks: HeldBlocks
  readonly reader: BlockReader
  readonly store: Pick<CollectableBlockStore, 'has' | 'touch'>
}

/** How nodes are read that were loaded before. */
export type NodePull = Pick<PullComponents, 'prepare' | 'get' | 'onFailure'> & {
  readonly onNode: (node: number, bytes: Uint8Array) => Promise<void>
  readonly signal: AbortSignal
}

export class PartDecisions {
  readonly #components: PartDecisionsComponents
  readonly #cache = createNodeCache({ bytesMax: NODE_CACHE_BYTES })
  #part: Part | undefined
  #folders: { readonly root: BlockId; readonly policies: FolderPolicies } | undefined
  /** Nodes that are loaded may be undecided. */
  #isBehind = true
  /** Whether to look for what is here and not ours: after a restart nobody remembers it. */
  findSurplus = false

  constructor(components: PartDecisionsComponents) {
    this.#components = components
  }

  get part(): Part | undefined {
    return this.#part
  }

  use(part: Part): void {
    this.#part = part
    this.#folders = undefined
    this.#undecide()
  }

  /** Nodes are about to be loaded. Returns what to call when all of them were passed to `onNode`. */
  begin(): () => void {
    const wasBehind = this.#isBehind
    this.#isBehind = true
    return () => {
      this.#isBehind = wasBehind || this.#hasFolders
    }
  }

  /** A node was loaded. Where directories have policies, all others have to be known first. */
  async onNode(node: number, bytes: Uint8Array): Promise<void> {
    if (this.#hasFolders || !this.#components.blocks.isUndecided(node)) return
    await this.#decide(node, bytes, NO_FOLDERS)
  }

  /** Decides what was not decided yet below a root all of whose nodes are loaded. */
  async finish(root: number, pull: NodePull): Promise<void> {
    const { blocks } = this.#components
    const policies = this.#hasFolders
      ? await this.#findFolders(blocks.idOf(root), pull.signal)
      : NO_FOLDERS
    if (!this.#isBehind) return
    const undecided = this.#undecidedBelow(root)
    await pullBlocks({
      ...pull,
      next: () => undecided.next().value,
      onBlock: async ({ block }, bytes) => {
        await pull.onNode(block, bytes)
        await this.#decide(block, bytes, policies)
        await shareEventLoop()
      }
    })
    this.#isBehind = false
  }

  get #hasFolders(): boolean {
    return this.#part!.list.overrides.size > 0
  }

  #decide(node: number, bytes: Uint8Array, policies: FolderPolicies): Promise<void> {
    const { blocks, store } = this.#components
    const { findSurplus } = this
    return decideData({ blocks, store, part: this.#part!, policies, findSurplus }, node, bytes)
  }

  #undecide(): void {
    this.#components.blocks.undecideAll()
    this.#isBehind = true
  }

  *#undecidedBelow(root: number): Generator<Wanted, undefined> {
    const { blocks } = this.#components
    const seen = new Set<number>()
    const pending = [root]
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (seen.has(node)) continue
      seen.add(node)
      for (const link of blocks.linksOf(node).toReversed()) {
        if (blocks.isNode(link)) pending.push(link)
      }
      if (!blocks.isUndecided(node)) continue
      yield { block: node, id: blocks.idOf(node), bytes: blocks.sizeOf(node) }
    }
  }

  /** The policies of this version. What they change of files that were there before is decided anew. */
  async #findFolders(root: BlockId, signal: AbortSignal): Promise<FolderPolicies> {
    const before = this.#folders
    if (before?.root === root) return before.policies
    const snapshot = this.#snapshotOf(root)
    const policies = await findFolderPolicies(snapshot, this.#part!, { signal })
    if (before !== undefined) {
      const changed = changedPolicies(before.policies, policies)
      if (await this.#reachesOld(changed, [before.root, root], signal)) this.#undecide()
    }
    this.#folders = { root, policies }
    return policies
  }

  /** Whether one of these inodes is in both versions. New ones have their extents in new nodes. */
  async #reachesOld(
    inodes: readonly Parameters<TreeSnapshot['inode']>[0][],
    roots: readonly BlockId[],
    signal: AbortSignal
  ): Promise<boolean> {
    try {
      for (let from = 0; from < inodes.length; from += INODES_AT_ONCE) {
        const some = inodes.slice(from, from + INODES_AT_ONCE)
        const [before, after] = await Promise.all(
          roots.map(root => this.#snapshotOf(root).inodes(some, { signal }))
        )
        if (some.some((_, index) => before![index] !== undefined && after![index] !== undefined)) {
          return true
        }
      }
      return false
    } catch (error) {
      signal.throwIfAborted()
      // A version that was given up may not be here any more, or one may be no proper tree of files.
      if (isWarrenError(error)) return true
      throw error
    }
  }

  #snapshotOf(root: BlockId): TreeSnapshot {
    const { reader } = this.#components
    return new TreeSnapshot(createTree({ reader, cache: this.#cache }, root), reader)
  }
}
