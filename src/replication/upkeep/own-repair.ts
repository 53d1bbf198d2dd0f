/**
 * Gets blocks of the own volume back that were found damaged here. Which of what was found is of
 * the volume at all is found out by one walk over its links: damage is rare, and an index of all
 * blocks would cost memory always.
 */
import { codecOf } from '../../blocks/index.ts'
import type { BlockId, BlockSession, BlockStore } from '../../blocks/index.ts'
import type { LocalVolume } from '../../namespace/index.ts'
import type { Clock } from '../../peer/index.ts'

/** What is found within this is looked for in one walk, in milliseconds. */
const GATHER_MS = 1_000

/** What nobody had, or what there was no room for, is asked for again after this, in milliseconds. */
export const LOST_RETRY_MS: number = 10 * 60_000

/** When somebody is there who was not, or has something new, it is asked for after this, in milliseconds. */
export const LOST_RETRY_SOON_MS = 15_000

/** Blocks that are looked for here before copies are counted: 32 MiB to read, at the usual size. */
const LOOK_AGAIN_MAX = 256

/** More at once is a disk that is gone; the next pass of the scrub finds the rest. */
const DAMAGED_MAX = 65_536

export interface OwnRepairComponents {
  readonly own: Pick<LocalVolume, 'head' | 'at'>
  /** Looks here, and then at the other holders; keeps what it gets. */
  readonly reader: Pick<BlockSession, 'get' | 'flush'>
  readonly store: Pick<BlockStore, 'get' | 'sync'>
  readonly clock: Clock
  readonly on: {
    readonly damaged: (blocks: number) => void
    readonly repaired: (detail: { readonly blocks: number; readonly bytes: number }) => void
    readonly lost: (ids: readonly BlockId[]) => void
  }
}

export class OwnRepair {
  readonly #components: OwnRepairComponents
  readonly #found = new Set<BlockId>()
  readonly #lost = new Set<BlockId>()
  readonly #ending = new AbortController()
  #cancel: (() => void) | undefined
  /** Of what is waited for. */
  #pauseMs = 0
  #running: Promise<void> = Promise.resolve()

  constructor(components: OwnRepairComponents) {
    this.#components = components
  }

  /** Whether a block of the volume is damaged here, and is not on this disk again yet. */
  lacks(id: BlockId): boolean {
    return this.#lost.has(id) || this.#found.has(id)
  }

  /** Somebody else may have got back what was lost: a check, or whoever wanted to read it. */
  async lookAgain({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { store } = this.#components
    const back: BlockId[] = []
    for (const id of [...this.#lost].slice(0, LOOK_AGAIN_MAX)) {
      if ((await store.get(id, { signal })) !== undefined) back.push(id)
    }
    if (back.length === 0) return
    await store.sync()
    for (const id of back) this.#lost.delete(id)
  }

  damaged(ids: readonly BlockId[]): void {
    for (const id of ids) if (this.#found.size < DAMAGED_MAX) this.#found.add(id)
    this.#later(GATHER_MS)
  }

  /** Others may have by now what nobody had. */
  retry(): void {
    if (this.#lost.size > 0) this.#later(LOST_RETRY_SOON_MS)
  }

  async stop(): Promise<void> {
    this.#ending.abort()
    this.#cancel?.()
    await this.#running
  }

  #later(ms: number): void {
    if (this.#ending.signal.aborted) return
    // What was found just now does not wait until what was lost is asked for again.
    if (ms < this.#pauseMs) this.#cancel?.()
    else if (this.#cancel !== undefined) return
    this.#pauseMs = ms
    this.#cancel = this.#components.clock.after(ms, () => {
      this.#cancel = undefined
      this.#running = this.#running.then(() => this.#repair()).catch(() => {})
    })
  }

  async #repair(): Promise<void> {
    const { on } = this.#components
    const found = new Set(this.#found)
    const ours = await this.#ofVolume(found)
    if (ours.size > 0) on.damaged(ours.size)
    const wanted = new Set([...this.#lost, ...ours])
    const before = this.#lost.size
    // Lost is what is not here again, on disk.
    for (const id of wanted) this.#lost.add(id)
    for (const id of found) this.#found.delete(id)
    const got = new Map<BlockId, number>()
    for (const id of wanted) {
      const bytes = await this.#get(id)
      if (bytes !== undefined) got.set(id, bytes)
    }
    if (await this.#isKept()) {
      for (const id of got.keys()) this.#lost.delete(id)
      const bytes = [...got.values()].reduce((sum, each) => sum + each, 0)
      if (got.size > 0) on.repaired({ blocks: got.size, bytes })
    }
    if (this.#lost.size > before) on.lost([...this.#lost])
    if (this.#lost.size > 0) this.#later(LOST_RETRY_MS)
  }

  /** False when the disk is full, or fails. */
  async #isKept(): Promise<boolean> {
    try {
      await this.#components.reader.flush()
      await this.#components.store.sync()
      return true
    } catch {
      return false
    }
  }

  async #get(id: BlockId): Promise<number | undefined> {
    const { signal } = this.#ending
    try {
      return (await this.#components.reader.get(id, { signal })).length
    } catch {
      signal.throwIfAborted()
      return undefined
    }
  }

  async #ofVolume(found: ReadonlySet<BlockId>): Promise<Set<BlockId>> {
    const { own } = this.#components
    const ours = new Set<BlockId>()
    const { head } = own
    if (head === undefined || found.size === 0) return ours
    const { signal } = this.#ending
    try {
      for await (const ids of own.at(head.root).tree.reachable({ signal })) {
        for (const id of ids) if (found.has(id)) ours.add(id)
        if (ours.size === found.size) break
      }
    } catch {
      signal.throwIfAborted()
      // A node that nobody has hides what is below: what was found may be ours.
      for (const id of found) if (codecOf(id) === 'dag-cbor') ours.add(id)
    }
    return ours
  }
}
