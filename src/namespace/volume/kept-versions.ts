/**
 * Which versions of the own volume stay readable after newer ones: the newest always, those that
 * were superseded a short while ago, and as many of the last ones as the owner wants.
 */
import type { BlockId } from '../../blocks/index.ts'
import type { Clock } from '../../peer/index.ts'
import type { VolumeId } from '../heads/head.ts'
import { createMemoryVersionStore } from './version-store.ts'
import type { Version, VersionStore } from './version-store.ts'

/** Longer than any one read of a local file takes, in milliseconds. */
const RETENTION_MS = 60_000

/**
 * When there are more, some of the older half go, evenly for their age: who keeps a day of a volume
 * that changes all the time has the last minutes in full and the day before by the minute.
 */
export const VERSIONS_MAX = 4096

/** What is thinned out is never among these. */
export const RETENTION_VERSIONS_MAX: number = VERSIONS_MAX / 2

/** How long a version may be the newest and yet be forgotten by a crash, in milliseconds. */
const SAVE_DELAY_MS = 2_000

export interface RetentionOptions {
  /** How long a version stays after it was superseded, in milliseconds. Default 60 s. */
  readonly retentionMs?: number | undefined
  /** How many superseded versions stay, however old they are. Default 0. */
  readonly retentionVersions?: number | undefined
}

export interface KeptVersionsComponents {
  readonly volume: VolumeId
  readonly clock: Clock
  /** Default: in memory. */
  readonly store?: VersionStore | undefined
}

export class KeptVersions {
  readonly #components: KeptVersionsComponents & { readonly store: VersionStore }
  readonly #options: { readonly retentionMs: number; readonly retentionVersions: number }
  /** Oldest first; the last one is the newest version, and each supersedes the one before. */
  #versions: Version[] = []
  #isSaved = true
  #savedCount = 0
  #cancelTimer: (() => void) | undefined

  constructor(components: KeptVersionsComponents, options: RetentionOptions) {
    const { retentionMs = RETENTION_MS, retentionVersions = 0 } = options
    const { store = createMemoryVersionStore() } = components
    this.#components = { ...components, store }
    this.#options = { retentionMs, retentionVersions }
  }

  /** `newest`: the durable head. What was saved may be behind it. */
  async load(newest: Version | undefined): Promise<void> {
    if (newest === undefined) return
    const { store, volume } = this.#components
    const saved = await store.load(volume)
    this.#savedCount = saved.length
    this.#versions = saved.filter(({ sequence }) => sequence < newest.sequence)
    this.add(newest)
  }

  add({ sequence, root, timeMs }: Version): void {
    this.#versions.push({ sequence, root, timeMs })
    this.#isSaved = false
    this.#prune()
    // Without retention nothing is ever written.
    if (this.#versions.length + this.#savedCount > 1) this.#saveLater()
  }

  /** Superseded versions that are kept, oldest first. */
  superseded(): readonly Version[] {
    this.#prune()
    return this.#versions.slice(0, -1)
  }

  /** Whether there are some that only time keeps. */
  get expires(): boolean {
    this.#prune()
    return this.#versions.length - 1 > this.#options.retentionVersions
  }

  /** It cannot be read any more. The newest stays. */
  forget(root: BlockId): void {
    const newest = this.#versions.at(-1)
    this.#keep(version => version === newest || version.root !== root)
  }

  /**
   * Resolves when what is kept is on disk, or cannot be brought there: a full disk must keep nobody
   * from committing, closing or making room. It is tried again with the next version.
   */
  async save(): Promise<void> {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#prune()
    // The newest is known without us.
    const versions = this.#versions.length > 1 ? this.#versions : []
    if (this.#isSaved || versions.length + this.#savedCount === 0) return
    const { store, volume } = this.#components
    this.#isSaved = true
    try {
      await store.save(volume, versions)
      this.#savedCount = versions.length
    } catch {
      this.#isSaved = false
    }
  }

  #prune(): void {
    const { retentionMs, retentionVersions } = this.#options
    const sinceMs = this.#components.clock.now() - retentionMs
    const goingMax = this.#versions.length - 1 - retentionVersions
    let going = 0
    while (going < goingMax && this.#versions[going + 1]!.timeMs <= sinceMs) going++
    if (going > 0) this.#keep((_, index) => index >= going)
    if (this.#versions.length > VERSIONS_MAX) this.#thin()
  }

  /** Those go whose neighbours are close for their age; of neighbours only one. */
  #thin(): void {
    const versions = this.#versions
    const now = this.#components.clock.now()
    const older = versions.length >> 1
    const distance = (index: number): number => {
      const gapMs = versions[index + 1]!.timeMs - versions[index - 1]!.timeMs
      return gapMs / Math.max(1, now - versions[index]!.timeMs)
    }
    const candidates = Array.from({ length: older - 1 }, (_, index) => index + 1)
    candidates.sort((a, b) => distance(a) - distance(b))
    const going = new Set<number>()
    for (const index of candidates) {
      if (going.size === older >> 2) break
      if (!going.has(index - 1) && !going.has(index + 1)) going.add(index)
    }
    this.#keep((_, index) => !going.has(index))
  }

  #keep(isKept: (version: Version, index: number) => boolean): void {
    this.#versions = this.#versions.filter(isKept)
    this.#isSaved = false
  }

  #saveLater(): void {
    this.#cancelTimer ??= this.#components.clock.after(SAVE_DELAY_MS, () => void this.save())
  }
}
