/** `rename` and `link`: names for inodes within one volume. */
import { WarrenError } from '../../errors.ts'
import type { DirectoryEntry } from '../volume/volume.ts'
import type { FileSystemContext } from './context.ts'
import { attempt } from './failures.ts'
import type { PathLike } from './paths.ts'
import { joinPath, toPath } from './paths.ts'
import type { FixedPlace, NamePlace } from './resolve.ts'
import { resolveName } from './resolve.ts'

export async function rename(
  context: FileSystemContext,
  from: PathLike,
  to: PathLike
): Promise<void> {
  const path = toPath(from, 'oldPath')
  const dest = toPath(to, 'newPath')
  await attempt({ syscall: 'rename', path, dest }, async () => {
    const source = expectName(await resolveName(context, path, { follow: false }))
    const target = expectName(await resolveName(context, dest, { follow: false }))
    if (source.entry === undefined) throw new WarrenError('ENOENT')
    const isDirectory = source.entry.type === 'directory'
    if (!isDirectory && (source.mustBeDirectory || target.mustBeDirectory)) {
      throw new WarrenError('ENOTDIR')
    }
    expectSameMount(source, target)
    // What is to be replaced holds what is to be moved.
    if (source.path.startsWith(joinPath(target.path, ''))) throw new WarrenError('ENOTEMPTY')
    expectNoMounts(context, source, target)
    const { volume } = source
    await context.files.removing(volume, keep =>
      volume.update(transaction => transaction.rename(source, target, { keep }))
    )
  })
}

export async function link(
  context: FileSystemContext,
  existing: PathLike,
  to: PathLike
): Promise<void> {
  const path = toPath(existing, 'existingPath')
  const dest = toPath(to, 'newPath')
  await attempt({ syscall: 'link', path, dest }, async () => {
    const options = { follow: false, followBeforeSlash: true }
    const source = await resolveName(context, path, options)
    if (source.name !== undefined) expectEntry(source)
    const target = await resolveName(context, dest, { follow: false })
    if (target.name === undefined || target.entry !== undefined) throw new WarrenError('EEXIST')
    if (target.mustBeDirectory) throw new WarrenError('ENOENT')
    if (source.name === undefined) throw new WarrenError('EPERM')
    const entry = expectEntry(source)
    if (entry.type === 'directory') throw new WarrenError('EPERM')
    expectSameMount(source, target)
    await target.volume.update(transaction =>
      transaction.link(target.directory, target.name, entry.inode)
    )
  })
}

/** What has the name. Throws `ENOENT`, and `ENOTDIR` where only a directory would do. */
function expectEntry({ entry, mustBeDirectory }: NamePlace): DirectoryEntry {
  if (entry === undefined) throw new WarrenError('ENOENT')
  if (mustBeDirectory && entry.type !== 'directory') throw new WarrenError('ENOTDIR')
  return entry
}

function expectName(place: NamePlace | FixedPlace): NamePlace {
  if (place.name === undefined) throw new WarrenError('EBUSY')
  return place
}

function expectSameMount(source: NamePlace, target: NamePlace): void {
  if (source.mounted.path !== target.mounted.path) throw new WarrenError('EXDEV')
}

/** What is mounted below a directory would lose its place when the directory moves. */
function expectNoMounts(context: FileSystemContext, ...places: readonly NamePlace[]): void {
  for (const { path } of places) {
    if (context.mounts.hasBelow(path)) throw new WarrenError('EBUSY')
  }
}
