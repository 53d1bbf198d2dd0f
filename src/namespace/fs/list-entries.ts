/** What a listing shows: the entries of a directory, and what is mounted under it. */
import type { StoreOptions } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import type { VolumeId } from '../heads/head.ts'
import type { Inode, InodeNumber, InodeType, Snapshot, Volume } from '../volume/volume.ts'
import { attributesNow } from './attributes-now.ts'
import type { FileSystemContext } from './context.ts'
import { joinPath } from './paths.ts'
import { viewOf } from './read-file.ts'

export interface ListedEntry {
  readonly name: string
  readonly type: InodeType
  /** Undefined for what is mounted: that is in another volume. */
  readonly inode?: InodeNumber
  /** Only when asked for, and where they can be had. */
  readonly attributes?: Inode | undefined
  /** The volume of what is mounted. Default: that of the listed directory. */
  readonly volume?: VolumeId
}

/** A directory in a version of a volume, and its canonical path. */
export interface ListedDirectory {
  readonly path: string
  readonly volume: Volume
  readonly snapshot: Snapshot
  readonly directory: InodeNumber
}

export interface ListOptions extends StoreOptions {
  /** With the attributes of every entry that has some. Default false. */
  readonly withStats?: boolean | undefined
}

/** In batches. A name that something is mounted on is shown once, as what is mounted. */
export async function* listEntries(
  context: FileSystemContext,
  listed: ListedDirectory,
  options: ListOptions = {}
): AsyncGenerator<readonly ListedEntry[]> {
  const mounted = new Set(context.mounts.namesUnder(listed.path))
  for await (const batch of entriesOf(context, listed, options)) {
    const shown = mounted.size === 0 ? batch : batch.filter(({ name }) => !mounted.has(name))
    if (shown.length > 0) yield shown
  }
  if (mounted.size > 0) yield await mountedEntries(context, listed, { ...options, names: mounted })
}

async function* entriesOf(
  context: FileSystemContext,
  listed: ListedDirectory,
  { withStats, signal }: ListOptions
): AsyncGenerator<readonly ListedEntry[]> {
  const options = signal === undefined ? {} : { signal }
  const { path, snapshot, directory } = listed
  if (withStats !== true) {
    yield* snapshot.entries(directory, { ...options, readAhead: true })
    return
  }
  const mayCross = context.mounts.mayStandUnder(path)
  for await (const batch of snapshot.entriesToShow(directory, options)) {
    const names = batch.map(({ name }) => name)
    yield mayCross
      ? await mountedEntries(context, listed, { ...options, withStats, names })
      : await attributesNow(context, listed, batch, options)
  }
}

function mountedEntries(
  context: FileSystemContext,
  { path }: ListedDirectory,
  options: ListOptions & { readonly names: Iterable<string> }
): Promise<ListedEntry[]> {
  return Promise.all(
    Array.from(options.names, async name => ({
      name,
      ...(await mountedEntry(context, joinPath(path, name), options))
    }))
  )
}

/** A mount that can not be reached now is still listed, as the directory that it most likely is. */
async function mountedEntry(
  context: FileSystemContext,
  path: string,
  { withStats, signal }: ListOptions
): Promise<Pick<ListedEntry, 'type' | 'attributes' | 'volume'>> {
  const options = signal === undefined ? {} : { signal }
  try {
    const mounted = await context.mounts.at(path, options)
    if (mounted === undefined) return { type: 'directory' }
    const { volume } = mounted
    const snapshot = await volume.snapshot(options)
    const inode = await snapshot.inode(mounted.inode, options)
    if (inode === undefined) return { type: 'directory' }
    if (withStats !== true) return { type: inode.type }
    const view = await viewOf(context, { path, mounted, volume, snapshot, inode })
    return { type: inode.type, attributes: view.inode, volume: volume.id }
  } catch {
    signal?.throwIfAborted()
    return { type: 'directory' }
  }
}

/**
 * Throws `EPROTO` unless a directory says that it stands where it was found: its one parent is what
 * keeps a hostile volume from sending a walk in circles.
 */
export async function expectChild(
  snapshot: Snapshot,
  { directory, child }: { readonly directory: InodeNumber; readonly child: InodeNumber }
): Promise<void> {
  const inode = await snapshot.inode(child)
  if (inode?.type === 'directory' && inode.parent === directory) return
  throw new WarrenError('EPROTO', { message: `directory ${child} is not in ${directory}` })
}
