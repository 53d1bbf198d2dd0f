/** `open`: finds or makes a file and gives a handle on it. */
import { WarrenError } from '../../errors.ts'
import type { Inode, NewInode } from '../volume/volume.ts'
import { parseMode } from './arguments.ts'
import type { FileSystemContext } from './context.ts'
import { newFile } from './context.ts'
import { attempt } from './failures.ts'
import { createView } from './file-view.ts'
import type { OpenMode } from './flags.ts'
import { parseFlags } from './flags.ts'
import { OpenFileHandle } from './open-file-handle.ts'
import type { PathLike } from './paths.ts'
import { toPath } from './paths.ts'
import type { FixedPlace, NamePlace } from './resolve.ts'
import { resolveName } from './resolve.ts'

const FILE_MODE = 0o666

/** How often a file may vanish between finding and opening it; it is looked up again each time. */
const TRIES_MAX = 16

export async function open(
  context: FileSystemContext,
  path: PathLike,
  flags: string | number = 'r',
  mode?: number | string | null
): Promise<OpenFileHandle> {
  const written = toPath(path)
  const opening = {
    mode: parseFlags(flags),
    template: newFile(context, parseMode(mode, FILE_MODE))
  }
  return await attempt({ syscall: 'open', path: written }, async () => {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const handle = await openOnce(context, written, opening)
      if (handle !== undefined) return handle
    }
    throw new WarrenError('ENOENT')
  })
}

interface Opening {
  readonly mode: OpenMode
  readonly template: NewInode
}

async function openOnce(
  context: FileSystemContext,
  path: string,
  { mode, template }: Opening
): Promise<OpenFileHandle | undefined> {
  const follow = mode.followLast && !mode.exclusive
  const place = await resolveName(context, path, { follow })
  const { volume } = place.mounted
  const found = await existing(place)
  if (found !== undefined) checkFound(place, found, mode)
  const inode = found ?? (await make(place, { mode, template }))
  if (!volume.writable) {
    const pinned = createView(place.snapshot, inode, [])
    return new OpenFileHandle(context, { path, volume, source: { pinned }, mode })
  }
  const file = await context.files.acquire(volume, inode)
  if (file === undefined) return undefined
  if (mode.truncate && found !== undefined && inode.size + (file.dirty ? 1 : 0) > 0) {
    await file.truncate(0)
  }
  return new OpenFileHandle(context, { path, volume, source: { file }, mode })
}

async function existing(place: NamePlace | FixedPlace): Promise<Inode | undefined> {
  const number = place.name === undefined ? place.inode : place.entry?.inode
  if (number === undefined) return undefined
  const inode = await place.snapshot.inode(number)
  if (inode === undefined) throw new WarrenError('ESTALE')
  return inode
}

function checkFound(place: NamePlace | FixedPlace, inode: Inode, mode: OpenMode): void {
  if (mode.exclusive) throw new WarrenError('EEXIST')
  const isDirectory = inode.type === 'directory'
  if (inode.type === 'symlink') throw new WarrenError('ELOOP')
  if (isDirectory && (mode.write || mode.create)) throw new WarrenError('EISDIR')
  const mustBeDirectory = place.name !== undefined && place.mustBeDirectory
  if (mustBeDirectory && mode.create) throw new WarrenError('EISDIR')
  if (!isDirectory && (mode.directory || mustBeDirectory)) throw new WarrenError('ENOTDIR')
  if (mode.write && !place.mounted.volume.writable) throw new WarrenError('EROFS')
}

async function make(place: NamePlace | FixedPlace, { mode, template }: Opening): Promise<Inode> {
  if (!mode.create || place.name === undefined) throw new WarrenError('ENOENT')
  if (place.mustBeDirectory) throw new WarrenError('EISDIR')
  const { directory, name, volume } = place
  return await volume.update(async transaction => {
    const entry = await transaction.lookup(directory, name)
    if (entry === undefined) return await transaction.create(directory, name, template)
    // Someone was faster.
    if (mode.exclusive) throw new WarrenError('EEXIST')
    if (entry.type === 'directory') throw new WarrenError('EISDIR')
    return (await transaction.inode(entry.inode))!
  })
}
