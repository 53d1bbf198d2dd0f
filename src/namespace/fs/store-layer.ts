/**
 * Stores what was written to a file: small files in the tree itself, others as extents. An extent
 * is immutable, so a write into one reads the rest of it and stores the joined run anew.
 *
 * Runs are planned on a snapshot and stored outside any transaction. The transaction that attaches
 * them checks that the extents they were planned on are still there, and otherwise plans again.
 */
import type { StoreOptions } from '../../blocks/index.ts'
import { readAhead } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import { INLINE_BYTES_MAX } from '../volume/volume.ts'
import type { Extent, Inode, InodeNumber, Snapshot, Transaction, Volume } from '../volume/volume.ts'
import type { ViewLayer } from './file-view.ts'
import { createView, readInto } from './file-view.ts'
import type { Run } from './plan-runs.ts'
import { planRuns, runBytes } from './plan-runs.ts'

export interface FileReference {
  readonly volume: Volume
  readonly number: InodeNumber
  readonly generation: number
}

/** Runs that are read, hashed and stored at the same time. */
const RUNS_AT_ONCE = 8

/** How often a plan may be overtaken by other writers before giving up. */
const PLANS_MAX = 16

export async function storeLayer(file: FileReference, layer: ViewLayer): Promise<void> {
  for (let plans = 0; plans < PLANS_MAX; plans++) {
    const snapshot = await file.volume.snapshot()
    const inode = await expectInode(snapshot, file)
    const size = sizeAfter(layer, inode)
    if (size <= INLINE_BYTES_MAX) return await storeInline(file, layer)
    if (await storeRuns(file, { snapshot, inode, layer: { ...layer, size } })) return
  }
  throw new WarrenError('EBUSY', { message: `overtaken by other writers ${PLANS_MAX} times` })
}

/** Throws `ESTALE` when the inode is gone. */
export async function expectInode(
  snapshot: Pick<Snapshot, 'inode'>,
  { number, generation }: Omit<FileReference, 'volume'>,
  options?: StoreOptions
): Promise<Inode> {
  const inode = await snapshot.inode(number, options)
  if (inode === undefined || inode.generation !== generation) throw new WarrenError('ESTALE')
  return inode
}

function sizeAfter(layer: ViewLayer, inode: Inode): number {
  // A layer that never cut the file does not cut what others appended to it meanwhile either.
  return layer.limit === Infinity ? Math.max(layer.size, inode.size) : layer.size
}

/** All within the transaction: there is little to read, and nothing that another could overtake. */
async function storeInline(file: FileReference, layer: ViewLayer): Promise<void> {
  await file.volume.update(async transaction => {
    const inode = await expectInode(transaction, file)
    const size = sizeAfter(layer, inode)
    const bytes = new Uint8Array(size)
    await readInto(createView(transaction, inode, [{ ...layer, size }]), bytes, 0)
    await transaction.setInline(file.number, bytes)
    await transaction.patch(file.number, { mtimeMs: layer.mtimeMs })
  })
}

interface Stored {
  readonly run: Run
  readonly extents: readonly Extent[]
}

async function storeRuns(
  file: FileReference,
  plan: { readonly snapshot: Snapshot; readonly inode: Inode; readonly layer: ViewLayer }
): Promise<boolean> {
  const { volume } = file
  const { runs, cut, inline, kept } = await planRuns(plan)
  const held: { done(): void }[] = []
  try {
    const store = async (run: Run): Promise<Stored> => {
      const storing = volume.storeExtents(runBytes(run), { offset: run.from })
      held.push(storing)
      const extents: Extent[] = []
      for await (const batch of storing) extents.push(...batch)
      return { run, extents }
    }
    const stored: Stored[] = []
    for await (const done of readAhead(runs, store, { readsMax: RUNS_AT_ONCE })) stored.push(done)
    return await volume.update(async transaction => {
      const inode = await expectInode(transaction, file)
      if (inode.size !== plan.inode.size) return false
      if (inline !== undefined) {
        if (!(await hasInline(transaction, inode, inline))) return false
        await transaction.setInline(file.number, new Uint8Array(0))
      }
      for (const run of runs) {
        if (!(await isUnchanged(transaction, inode, { run, kept }))) return false
      }
      await attach(transaction, file.number, { stored, cut, inode, size: plan.layer.size })
      await transaction.patch(file.number, { mtimeMs: plan.layer.mtimeMs })
      return true
    })
  } finally {
    for (const storing of held) storing.done()
  }
}

async function attach(
  transaction: Transaction,
  number: InodeNumber,
  change: {
    readonly stored: readonly Stored[]
    readonly cut: number | undefined
    readonly inode: Inode
    readonly size: number
  }
): Promise<void> {
  const { stored, cut, inode, size } = change
  if (cut !== undefined && cut < inode.size) {
    await transaction.setExtents(number, { from: cut, to: inode.size, extents: [], size: cut })
  }
  for (const { run, extents } of stored) {
    await transaction.setExtents(number, { from: run.from, to: run.to, extents, size })
  }
  if (stored.length === 0) {
    await transaction.setExtents(number, { from: size, to: size, extents: [], size })
  }
}

async function hasInline(
  transaction: Transaction,
  inode: Inode,
  expected: Uint8Array
): Promise<boolean> {
  const content = await transaction.content(inode)
  if (!('inline' in content) || content.inline.length !== expected.length) return false
  return content.inline.every((byte, index) => byte === expected[index])
}

/** True when the file still has exactly the extents that a run was planned on. */
async function isUnchanged(
  transaction: Transaction,
  inode: Inode,
  { run, kept }: { readonly run: Run; readonly kept: number }
): Promise<boolean> {
  const length = Math.min(run.to, kept) - run.from
  if (length <= 0) return true
  const content = await transaction.content(inode, { offset: run.from, length })
  if (!('extents' in content)) return false
  let index = 0
  for await (const batch of content.extents) {
    for (const extent of batch) {
      const expected = run.touched[index++]
      if (extent.block !== expected?.block || extent.offset !== expected.offset) return false
    }
  }
  return index === run.touched.length
}
