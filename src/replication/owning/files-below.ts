/**
 * All files below a place of the own volume, each with the policy that counts for it. What is in
 * memory is a batch of names and the directories still to be looked into.
 */
import { INLINE_BYTES_MAX, shareEventLoop } from '../../namespace/index.ts'
import type { EntryWithInode, Inode, InodeNumber, Snapshot } from '../../namespace/index.ts'
import type { Policies, Policy } from '../holders/policy.ts'
import { policyAt } from './own-place.ts'
import type { OwnPlace } from './own-place.ts'

export interface FoundFile {
  readonly path: string
  readonly inode: Inode
  readonly policy: Policy
  /** Its bytes stand in the tree. */
  readonly inTree: boolean
  /** The directory directly below the place that it is in; undefined: it stands in the place itself. */
  readonly folder: FoundFolder | undefined
}

export interface FoundFolder {
  readonly path: string
  readonly policy: Policy
}

export interface FoundBatch {
  readonly files: readonly FoundFile[]
  /** Directories directly below the place. */
  readonly folders: readonly FoundFolder[]
}

interface Pending {
  readonly path: string
  readonly number: InodeNumber
  readonly policy: Policy
  readonly folder: FoundFolder | undefined
}

export async function* filesBelow(
  { snapshot, policies }: { readonly snapshot: Snapshot; readonly policies: Policies },
  place: OwnPlace,
  options: { readonly signal: AbortSignal }
): AsyncGenerator<FoundBatch> {
  const { policy } = policyAt(policies, place)
  const { path, inode } = place
  if (inode.type !== 'directory') {
    const inTree = (await inTreeOf(snapshot, [inode], options)).has(inode.number)
    yield { files: [{ path, inode, policy, inTree, folder: undefined }], folders: [] }
    return
  }
  const top = inode.number
  const pending: Pending[] = [{ path, number: top, policy, folder: undefined }]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for await (const entries of snapshot.entriesWithInodes(next.number, options)) {
      await shareEventLoop()
      const directories = directoriesOf(entries, next, policies)
      const isTop = next.number === top
      for (const found of directories) {
        pending.push(isTop ? { ...found, folder: found } : { ...found, folder: next.folder })
      }
      const files = await filesOf(entries, next, { snapshot, policies, ...options })
      yield { files, folders: isTop ? directories : [] }
    }
  }
}

function directoriesOf(
  entries: readonly EntryWithInode[],
  parent: Pending,
  policies: Policies
): (FoundFolder & { readonly number: InodeNumber })[] {
  return entries
    .filter(({ type }) => type === 'directory')
    .map(({ name, inode }) => ({
      path: pathIn(parent, name),
      number: inode,
      policy: policies.overrides.get(inode) ?? parent.policy
    }))
}

async function filesOf(
  entries: readonly EntryWithInode[],
  parent: Pending,
  context: {
    readonly snapshot: Snapshot
    readonly policies: Policies
    readonly signal: AbortSignal
  }
): Promise<FoundFile[]> {
  const { snapshot, policies, signal } = context
  const files = entries.filter(({ type }) => type !== 'directory')
  const inodes = files.map(({ attributes }) => attributes)
  const inTree = await inTreeOf(snapshot, inodes, { signal })
  return files.map(({ name, attributes }) => ({
    path: pathIn(parent, name),
    inode: attributes,
    policy: policies.overrides.get(attributes.number) ?? parent.policy,
    inTree: inTree.has(attributes.number),
    folder: parent.folder
  }))
}

/** Those of which everything stands in the tree: symbolic links and most short files. One pass for all. */
async function inTreeOf(
  snapshot: Snapshot,
  inodes: readonly Inode[],
  options: { readonly signal: AbortSignal }
): Promise<ReadonlySet<InodeNumber>> {
  const found = new Set<InodeNumber>()
  const short: Inode[] = []
  for (const inode of inodes) {
    if (inode.type === 'symlink') found.add(inode.number)
    else if (inode.size <= INLINE_BYTES_MAX) short.push(inode)
  }
  const contents = short.length === 0 ? [] : await snapshot.inlineContents(short, options)
  contents.forEach((bytes, index) => {
    if (bytes !== undefined) found.add(short[index]!.number)
  })
  return found
}

function pathIn({ path }: Pending, name: string): string {
  return path === '/' ? `/${name}` : `${path}/${name}`
}
