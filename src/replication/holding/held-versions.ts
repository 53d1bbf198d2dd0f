/**
 * The version that is held and the one that is being got, by the part that is ours: makes the new
 * one whole, on disk and remembered, before it lets go of the old one. Whatever ends it in between,
 * what was got stays known, and the next call goes on from there.
 */
import type { BlockId, CollectableBlockStore } from '../../blocks/index.ts'
import { WarrenError, isWarrenError } from '../../errors.ts'
import { Arrivals } from './arrivals.ts'
import { DamagedBlocks } from './damaged-blocks.ts'
import { HeldBlocks } from './held-blocks.ts'
import { SAMPLED_BLOCKS } from './limits.ts'
import { fittingShares } from './fitting-share.ts'
import type { FittingShares } from './fitting-share.ts'
import { loadTree } from './load-tree.ts'
import type { Pace } from './pace.ts'
import type { Part } from './part.ts'
import { PartDecisions } from './part-decisions.ts'
import type { PlacedReader } from './placed-reader.ts'
import { PullMissing, tooLarge } from './pull-missing.ts'
import type { RoomOptions } from './pull-missing.ts'
import type { Wanted } from './pull-blocks.ts'

export interface Version {
  readonly sequence: number
  readonly root: BlockId
}

interface KnownVersion extends Version {
  /** The number of its root. */
  readonly block: number
}

export interface HeldVersionsComponents {
  readonly reader: Pick<PlacedReader, 'session' | 'get' | 'flush'>
  readonly store: Pick<CollectableBlockStore, 'get' | 'has' | 'deleteMany' | 'sync' | 'touch'>
  /** From 0 up to 1. */
  readonly random: () => number
  /** Waited for before anything is got from others. */
  readonly pace: Pace
  /** Remembers a version that is held whole. Resolves when it survives a crash. */
  readonly hold: (version: Version) => Promise<void>
  /** A block could not be had. */
  readonly onFailure: (id: BlockId, error: unknown) => void
  /** A block came that was wanted. */
  readonly onArrived: (id: BlockId, bytes: number) => void
}

export interface GetOptions {
  readonly signal: AbortSignal
  /** Bytes that the version may take. */
  readonly pledgeBytes: number
  /** Blocks of the volume that may be known here. */
  readonly blocksMax: number
}

export class HeldVersions {
  readonly blocks: HeldBlocks
  readonly #components: HeldVersionsComponents
  readonly #arrivals: Arrivals
  readonly #decisions: PartDecisions
  readonly #damaged: DamagedBlocks
  readonly #missing: PullMissing
  #held: KnownVersion | undefined
  #getting: KnownVersion | undefined
  /** Given up for a newer one, and kept until what that has in common with them is known. */
  #abandoned: KnownVersion[] = []
  /** The part of which the held version is whole. */
  #wholePart: Part | undefined
  #fitting: FittingShares | undefined

  constructor(components: HeldVersionsComponents) {
    this.#components = components
    const blocks = new HeldBlocks(components.random)
    const arrivals = new Arrivals({ ...components, blocks })
    this.blocks = blocks
    this.#arrivals = arrivals
    this.#decisions = new PartDecisions({
      ...components,
      blocks,
      reader: components.reader.session
    })
    this.#damaged = new DamagedBlocks({ ...components, blocks })
    this.#missing = new PullMissing({
      ...components,
      blocks,
      arrivals,
      get: ({ block, id }, options) => this.#getPlaced(block, id, options)
    })
  }

  get held(): Version | undefined {
    return this.#held
  }

  /** What is acted by. */
  get part(): Part | undefined {
    return this.#decisions.part
  }

  /** The part of which the held version is whole; undefined: none, or it was not checked yet. */
  get wholePart(): Part | undefined {
    return this.#wholePart
  }

  /** The shares with which the version that did not fit, which was got last, would; undefined: nobody knows. */
  get fitting(): FittingShares | undefined {
    return this.#fitting
  }

  get isUndamaged(): boolean {
    return this.blocks.wanted === 0 && !this.#damaged.isSuspicious
  }

  /** Whether this version is held, with all of it that is ours by now. */
  isWhole(version: Version): boolean {
    const isHeld = this.#held?.root === version.root && this.#held.sequence === version.sequence
    return isHeld && this.#wholePart === this.part && this.isUndamaged
  }

  roots(): BlockId[] {
    const versions = [this.#held, this.#getting, ...this.#abandoned]
    return [...new Set(versions.flatMap(version => (version ? [version.root] : [])))]
  }

  usePart(part: Part): void {
    this.#decisions.use(part)
  }

  /** These may be damaged or missing: the next `get` looks at them. */
  suspect(ids: readonly BlockId[]): void {
    this.#damaged.suspect(ids)
  }

  /**
   * Finds a version that was held before a restart, by what is in the store. False when some of its
   * nodes are not; then what is here and not ours is still looked for, until a version is held.
   */
  async find(version: Version, { signal }: { readonly signal: AbortSignal }): Promise<boolean> {
    const { store } = this.#components
    this.#decisions.findSurplus = true
    const getting = this.#begin(version)
    const get = async ({ id }: Wanted): Promise<Uint8Array> => {
      const bytes = await store.get(id, { signal })
      if (bytes === undefined) throw new WarrenError('EHOSTUNREACH', { message: `${id} is gone` })
      return bytes
    }
    const prepare = async (): Promise<void> => {}
    try {
      await this.#load(getting, { get, prepare, signal, onFailure: () => {} })
      await this.#sample(signal)
    } catch (error) {
      if (!isWarrenError(error, 'EHOSTUNREACH')) throw error
      await this.#arrivals.flush()
      this.#drop()
      return false
    }
    this.#held = getting
    this.#getting = undefined
    this.#decisions.findSurplus = false
    if (this.blocks.wanted === 0) this.#wholePart = this.part
    return true
  }

  /**
   * Holds a version: resolves when all that is ours of it is on disk. Throws `EDQUOT` when it does
   * not fit the pledge and `ENOSPC` when the store is full, and has then let go of what it began;
   * `EHOSTUNREACH` when some of it could not be had; `EFBIG` for a tree beyond all measure. Nothing
   * of what was held before is given up then.
   */
  async get(version: Version, options: GetOptions): Promise<void> {
    await this.#damaged.examine(options)
    if (this.isWhole(version)) return
    const { signal } = options
    const { reader, onFailure } = this.#components
    const getting = this.#begin(version)
    const isRepair = this.#held?.block === getting.block
    const former = isRepair ? undefined : this.#held?.block
    const limits = { ...options, former, isRepair }
    let isLoaded = false
    this.#fitting = undefined
    try {
      await this.#load(getting, {
        get: ({ id }) => reader.session.get(id, { signal }),
        prepare: wanted => this.#missing.prepare(wanted, signal),
        onFailure: ({ id }, error) => onFailure(id, error),
        signal,
        limits
      })
      for (const { block } of this.#abandoned.splice(0)) this.blocks.release(block)
      if (this.blocks.unsized > 0) await this.#sample(signal)
      isLoaded = true
      this.#requireShare(limits)
      await this.#missing.pull(limits)
      await this.#finish(getting)
    } catch (error) {
      const refused = await this.#arrivals.flush().then(
        () => undefined,
        (reason: unknown) => reason
      )
      const failure = isWarrenError(refused, 'ENOSPC') ? refused : error
      if (isLoaded && isWarrenError(failure, 'EDQUOT')) this.#fitting ??= this.#fittingOf(limits)
      if (isWarrenError(failure, 'EDQUOT') || isWarrenError(failure, 'ENOSPC')) this.#drop()
      throw failure
    }
  }

  /** Throws `EDQUOT` when it is known before anything is got that we have to take less. */
  #requireShare(limits: RoomOptions): void {
    const { heldBytes, wantedBytes } = this.blocks
    if (heldBytes + wantedBytes <= limits.pledgeBytes) return
    this.#fitting = this.#fittingOf(limits)
    if (this.#fitting.ours < this.part!.share)
      throw tooLarge(heldBytes + wantedBytes, limits.pledgeBytes)
  }

  #fittingOf({ former, pledgeBytes }: RoomOptions): FittingShares {
    return fittingShares({ blocks: this.blocks, part: this.part!, former, pledgeBytes })
  }

  #getPlaced(
    block: number,
    id: BlockId,
    options: { readonly signal: AbortSignal }
  ): Promise<Uint8Array> {
    const { reader } = this.#components
    if (this.blocks.isNode(block)) return reader.session.get(id, options)
    const policy = this.blocks.policyOf(block)
    return reader.get(id, () => this.part!.placed(id, policy), options)
  }

  #begin(version: Version): KnownVersion {
    const { root, sequence } = version
    const block = this.blocks.add(root)
    this.blocks.retain(block)
    if (this.#getting !== undefined) this.#abandoned.push(this.#getting)
    return (this.#getting = { root, sequence, block })
  }

  #drop(): void {
    const dropped = [...this.#abandoned.splice(0), ...(this.#getting ? [this.#getting] : [])]
    this.#getting = undefined
    for (const { block } of dropped) this.blocks.release(block)
  }

  /** Gets to know all nodes of a version, and which of its data is ours. */
  async #load(version: KnownVersion, load: Load): Promise<void> {
    const { blocks } = this
    const { get, prepare, signal, onFailure, limits } = load
    const onNode = async (node: number, bytes: Uint8Array): Promise<void> => {
      const added = blocks.isPresent(node) ? 0 : bytes.length
      if (limits !== undefined) this.#missing.requireRoughRoom(limits, added)
      await this.#arrivals.add(node, bytes.length)
      await this.#decisions.onNode(node, bytes)
    }
    const end = this.#decisions.begin()
    await loadTree({ blocks, get, prepare, onNode, onFailure }, version.block)
    end()
    await this.#arrivals.flush()
    await this.#decisions.finish(version.block, {
      get,
      // They are here already, but for one that was damaged since.
      prepare: wanted => this.#components.store.touch(wanted.map(({ id }) => id)),
      signal,
      onFailure: (_, error) => {
        throw error
      },
      onNode: (node, bytes) => this.#arrivals.add(node, bytes.length)
    })
    await this.#arrivals.flush()
  }

  async #finish(version: KnownVersion): Promise<void> {
    const { store, hold } = this.#components
    const before = this.#held
    await this.#arrivals.flush()
    await store.sync()
    if (before?.root !== version.root || before.sequence !== version.sequence) await hold(version)
    this.#held = version
    this.#getting = undefined
    this.#wholePart = this.part
    this.#decisions.findSurplus = false
    if (before !== undefined) this.blocks.release(before.block)
  }

  /** Gives blocks of which nobody has said how large they are the mean size of some that are read. */
  async #sample(signal: AbortSignal): Promise<void> {
    const { blocks } = this
    const unsized: number[] = []
    for (let block = 0; block < blocks.end; block++) {
      if (blocks.isPresent(block) && blocks.sizeOf(block) === 0) unsized.push(block)
    }
    const step = Math.ceil(unsized.length / SAMPLED_BLOCKS)
    let bytes = 0
    let count = 0
    for (let index = 0; index < unsized.length; index += step) {
      const found = await this.#components.store.get(blocks.idOf(unsized[index]!), { signal })
      if (found === undefined) continue
      bytes += found.length
      count++
    }
    for (const block of unsized) blocks.setSize(block, Math.round(bytes / Math.max(1, count)))
  }
}

interface Load {
  readonly get: (wanted: Wanted) => Promise<Uint8Array>
  readonly prepare: (wanted: readonly Wanted[]) => Promise<void>
  readonly onFailure: (node: Wanted, error: unknown) => void
  readonly signal: AbortSignal
  readonly limits?: RoomOptions
}
