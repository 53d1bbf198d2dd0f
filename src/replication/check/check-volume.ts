/**
 * Checks the own volume as fsck does a disk: every node of its tree, what the inodes, names and
 * extents say of each other, and every block of its files.
 *
 * It looks at one version, kept from collection meanwhile, so writers go on. The tree is read once
 * from its first key to its last, past the node cache and from this machine's disk alone; what has to
 * be remembered of it are some 51 bytes for a file with one name. Repairs are transactions like any
 * other. Names whose data is gone stay, because it may come back.
 */
import type { BlockEncoding, BlockId, BlockReader, BlockStore } from '../../blocks/index.ts'
import { WarrenError, isWarrenError } from '../../errors.ts'
import {
  decodeEntry,
  decodeInode,
  decodeVolumeRecord,
  inodeOf,
  inodesWithin,
  isContentOnly,
  shareEventLoop,
  surveyTree,
  typeOfKey
} from '../../namespace/index.ts'
import type {
  InodeNumber,
  LocalVolume,
  PinnedVersion,
  SurveyedGap,
  TreeEntry
} from '../../namespace/index.ts'
import type { Clock } from '../../peer/index.ts'
import { PROGRESS_MS } from './check-limits.ts'
import type { CheckCounts, CheckOptions, CheckProblem, CheckReport } from './check-report.ts'
import { ContentCheck } from './content-check.ts'
import { CopiesCheck } from './copies-check.ts'
import type { CopiesOf } from './copies-check.ts'
import { EntryTable, InodeTable } from './inode-table.ts'
import { LocalBlocks } from './local-blocks.ts'
import { Paths } from './paths.ts'
import { Problems } from './problems.ts'
import type { Problem } from './problems.ts'
import { StructureRepair } from './structure-repair.ts'
import { countNames, findMendable } from './structure.ts'

export interface CheckComponents {
  readonly volume: LocalVolume
  readonly store: Pick<BlockStore, 'get' | 'has' | 'putMany' | 'sync'>
  /** Finds blocks at other holders when they are not in the store; as they are stored, not opened. */
  readonly reader: Pick<BlockReader, 'get'>
  /** Of a sealed volume, with its key. */
  readonly encoding?: BlockEncoding | undefined
  readonly clock: Pick<Clock, 'now'>
  /** Whether an inode without names is open. Default: it may be, and nothing is said of it. */
  readonly isOpen?: (inode: InodeNumber) => boolean
  /** Default: copies are not counted. */
  readonly copiesOf?: CopiesOf
}

const checking = new WeakSet<LocalVolume>()

/** Throws `EBUSY` while the volume is being checked already, and the signal's reason. */
export async function checkVolume(
  components: CheckComponents,
  options: CheckOptions = {}
): Promise<CheckReport> {
  const { volume } = components
  if (checking.has(volume)) throw new WarrenError('EBUSY', { message: 'it is being checked' })
  checking.add(volume)
  try {
    options.signal?.throwIfAborted()
    const pinned = await volume.pin()
    try {
      return await new VolumeCheck(components, options, pinned).run()
    } finally {
      pinned.release()
    }
  } finally {
    checking.delete(volume)
  }
}

class VolumeCheck {
  readonly #components: CheckComponents
  readonly #options: CheckOptions
  readonly #pinned: PinnedVersion
  readonly #problems = new Problems()
  readonly #inodes = new InodeTable()
  readonly #entries = new EntryTable()
  readonly #blocks: LocalBlocks
  readonly #content: ContentCheck
  readonly #gaps: SurveyedGap[] = []
  readonly #strayMarks: InodeNumber[] = []
  readonly #counts = { nodes: 0, nodeBytes: 0, directories: 0, files: 0, symlinks: 0, entries: 0 }
  #nextInode: number | undefined
  #complete = true
  #toldMs = -Infinity

  constructor(components: CheckComponents, options: CheckOptions, pinned: PinnedVersion) {
    const { repair = false, blocks = true, signal } = options
    this.#components = components
    this.#options = options
    this.#pinned = pinned
    this.#blocks = new LocalBlocks(components, { repair, signal })
    this.#content = new ContentCheck(
      {
        inodes: this.#inodes,
        blocks: this.#blocks,
        problems: this.#problems,
        mayBeLost: inode => this.#mayBeLost(inode)
      },
      { readBlocks: blocks }
    )
  }

  async run(): Promise<CheckReport> {
    const { volume, store, copiesOf } = this.#components
    const { signal, repair = false } = this.#options
    const { root } = this.#pinned
    for await (const found of surveyTree(id => this.#readNode(id), root, optional(signal))) {
      await shareEventLoop()
      if (found.kind === 'gap') this.#noteGap(found)
      else {
        this.#counts.nodes++
        this.#counts.nodeBytes += found.bytes
        for (const entry of found.entries) await this.#look(entry)
      }
      this.#tell()
    }
    await this.#content.flush()
    await this.#checkStructure()
    if (copiesOf !== undefined) {
      const parts = { copiesOf, inodes: this.#inodes, problems: this.#problems }
      await new CopiesCheck(parts, signal).run(id => this.#readAgain(id), root)
    }
    if (repair && this.#problems.repaired > 0) {
      await store.sync()
      await volume.sync()
    }
    return this.#report()
  }

  async #checkStructure(): Promise<void> {
    const { volume, isOpen } = this.#components
    const { signal, repair = false } = this.#options
    const parts = {
      inodes: this.#inodes,
      entries: this.#entries,
      problems: this.#problems,
      mayBeLost: (inode: InodeNumber) => this.#mayBeLost(inode)
    }
    const types = countNames(parts)
    this.#noteLostContent()
    if (!this.#complete) return
    const mendable = findMendable(parts, types)
    const repairing = new StructureRepair(
      {
        volume,
        before: this.#pinned.snapshot,
        inodes: this.#inodes,
        problems: this.#problems,
        isOpen
      },
      { repair, signal }
    )
    await repairing.nextInode(this.#nextInode)
    await repairing.strayMarks(this.#strayMarks)
    await repairing.run(mendable)
  }

  /** From here, or from elsewhere when that is wanted; and tells when it was not here. */
  async #readNode(id: BlockId): Promise<Uint8Array | undefined> {
    const { state, repaired, bytes } = await this.#blocks.look(id)
    if (state !== 'whole')
      this.#problems.add({ kind: 'node-missing', block: id, detail: state, repaired })
    return bytes && this.#blocks.decode(id, bytes)
  }

  /** For what looks at the tree once more. */
  async #readAgain(id: BlockId): Promise<Uint8Array | undefined> {
    const bytes = await this.#components.store.get(id)
    return bytes && this.#blocks.decode(id, bytes)
  }

  #noteGap(gap: SurveyedGap): void {
    const { id, error } = gap
    this.#gaps.push(gap)
    if (!isContentOnly(range(gap))) this.#complete = false
    if (error === undefined) return
    this.#problems.add({ kind: 'node-malformed', block: id, detail: error.message })
  }

  async #look(entry: TreeEntry): Promise<void> {
    const type = typeOfKey(entry.key)
    try {
      if (type === 'extent') await this.#content.extent(entry)
      else if (type === 'inline') this.#content.inline(entry)
      else if (type === 'inode') this.#noteInode(entry)
      else if (type === 'entry') this.#noteEntry(entry)
      else if (type === 'orphan') this.#noteMark(entry)
      else if (type === 'volume') this.#nextInode = decodeVolumeRecord(entry.value).nextInode
      else if (type === undefined) this.#malformed(entry, 'a key of no kind')
    } catch (error) {
      if (!isWarrenError(error, 'EPROTO')) throw error
      this.#malformed(entry, error.message)
    }
  }

  #noteInode(entry: TreeEntry): void {
    const number = inodeOf(entry.key)
    if (number === 0) return this.#malformed(entry, 'inode 0')
    let inode
    try {
      inode = decodeInode(entry)
    } catch (error) {
      if (!isWarrenError(error, 'EPROTO')) throw error
      this.#problems.add({ kind: 'record-malformed', inode: number, detail: error.message })
    }
    this.#inodes.add(number, inode)
    if (inode?.type === 'file') this.#counts.files++
    else if (inode?.type === 'directory') this.#counts.directories++
    else if (inode?.type === 'symlink') this.#counts.symlinks++
  }

  #noteEntry(entry: TreeEntry): void {
    const directory = inodeOf(entry.key)
    this.#counts.entries++
    try {
      this.#entries.add(directory, decodeEntry(entry))
    } catch (error) {
      // What it names would look as if it had no name.
      this.#complete = false
      throw error
    }
  }

  #noteMark({ key }: TreeEntry): void {
    const inode = inodeOf(key)
    const row = this.#inodes.find(inode)
    if (row >= 0) this.#inodes.mark(row)
    else if (!this.#mayBeLost(inode)) this.#strayMarks.push(inode)
  }

  #malformed({ key }: TreeEntry, detail: string): void {
    const problem = { kind: 'record-malformed', detail } as const
    const inode = typeOfKey(key) === undefined ? undefined : inodeOrNone(key)
    this.#problems.add(inode === undefined ? problem : { ...problem, inode })
  }

  #mayBeLost(inode: InodeNumber): boolean {
    return this.#gaps.some(gap => {
      const within = inodesWithin(range(gap), 'metadata')
      return within !== undefined && within.first <= inode && inode <= within.last
    })
  }

  #noteLostContent(): void {
    const inodes = this.#inodes
    for (const gap of this.#gaps) {
      const within = inodesWithin(range(gap), 'content')
      if (within === undefined) continue
      for (let row = inodes.rowFrom(within.first); row < inodes.count; row++) {
        if (inodes.number(row) > within.last) break
        if (inodes.type(row) !== 'file' || inodes.size(row) === 0) continue
        this.#problems.add({ kind: 'content-lost', inode: inodes.number(row), block: gap.id })
      }
    }
  }

  #tell(): void {
    const { onProgress } = this.#options
    const now = this.#components.clock.now()
    if (onProgress === undefined || now - this.#toldMs < PROGRESS_MS) return
    this.#toldMs = now
    const { nodes, nodeBytes } = this.#counts
    const { blocks, blockBytes } = this.#content.counts
    const { found, repaired } = this.#problems
    onProgress({ nodes, blocks, bytes: nodeBytes + blockBytes, found, repaired })
  }

  async #report(): Promise<CheckReport> {
    const { root } = this.#pinned
    const { listed, found, repaired, byKind } = this.#problems
    const paths = new Paths(this.#inodes)
    for (const problem of listed) paths.want(problem)
    await paths.find(id => this.#readAgain(id), root, this.#options.signal)
    const counts: CheckCounts = { ...this.#counts, ...this.#content.counts }
    const problems = listed.map(problem => withPath(problem, paths.pathOf(problem)))
    return { root, complete: this.#complete, counts, problems, found, repaired, byKind }
  }
}

function withPath(problem: Problem, path: string | undefined): CheckProblem {
  const { directory: _, repaired = false, ...rest } = problem
  return { ...rest, ...(path === undefined ? {} : { path }), repaired }
}

function inodeOrNone(key: Uint8Array): InodeNumber | undefined {
  return typeOfKey(key) === 'volume' ? undefined : inodeOf(key)
}

/** What is not known is left out. */
function range({ from, to }: SurveyedGap): { from?: Uint8Array; to?: Uint8Array } {
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
}

function optional(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}
