/**
 * `copyFile`: within a volume the copy shares the blocks of what it was copied from, and no bytes
 * are moved; from another volume they are streamed.
 */
import { WarrenError } from '../../errors.ts'
import { constants } from './constants.ts'
import type { FileSystemContext } from './context.ts'
import { attempt } from './failures.ts'
import { streamView } from './file-view.ts'
import type { PathLike } from './paths.ts'
import { toPath } from './paths.ts'
import { viewOf } from './read-file.ts'
import type { Place } from './resolve.ts'
import { resolve, resolveName } from './resolve.ts'
import type { ContentTarget } from './store-content.ts'
import { findOrMakeFile, replacing, storeContent } from './store-content.ts'
import { contentTarget } from './write-file.ts'

export async function copyFile(
  context: FileSystemContext,
  source: PathLike,
  destination: PathLike,
  mode: number = 0
): Promise<void> {
  const path = toPath(source, 'src')
  const dest = toPath(destination, 'dest')
  await attempt({ syscall: 'copyfile', path, dest }, async () => {
    const from = await resolve(context, path)
    const place = await resolveName(context, dest)
    const exclusive = (mode & constants.COPYFILE_EXCL) !== 0
    const target = await contentTarget(place, exclusive)
    if (from.inode.type === 'directory') throw new WarrenError('EISDIR')
    await copyContent(context, from, { ...target, exclusive })
  })
}

/** Gives a target the content and mode of a file. A file that would be copied onto itself stays. */
export async function copyContent(
  context: FileSystemContext,
  from: Place,
  to: Omit<ContentTarget, 'template'>
): Promise<void> {
  const { inode, volume } = from
  if (to.volume === volume && to.found === inode.number) return
  const template = {
    type: 'file',
    mode: inode.mode,
    uid: context.uid,
    gid: context.gid
  } as const
  const target: ContentTarget = { ...to, template }
  if (to.volume !== volume) {
    const view = await viewOf(context, from)
    const options = to.signal === undefined ? {} : { signal: to.signal }
    const copy = await storeContent(context, target, streamView(view, 0, view.inode.size, options))
    await to.volume.update(transaction => transaction.patch(copy.number, { mode: inode.mode }))
    return
  }
  await context.files.find(volume, inode.number)?.store()
  await replacing(context, target, async transaction => {
    const number = await findOrMakeFile(transaction, target)
    await transaction.shareContent(inode.number, number)
    await transaction.patch(number, { mode: inode.mode })
  })
}
