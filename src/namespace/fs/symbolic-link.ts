/** `symlink`, `readlink` and `realpath`. */
import { WarrenError } from '../../errors.ts'
import { withEncoding } from './arguments.ts'
import type { FileSystemContext } from './context.ts'
import { attempt } from './failures.ts'
import type { EncodingOptions } from './file-handle.ts'
import type { PathLike } from './paths.ts'
import { toPath } from './paths.ts'
import { resolve, resolveName } from './resolve.ts'
import type { EncodingOption } from './text.ts'
import { nameInEncoding } from './text.ts'

export async function makeSymbolicLink(
  context: FileSystemContext,
  target: PathLike,
  path: PathLike
): Promise<void> {
  const written = toPath(target, 'target')
  const dest = toPath(path)
  await attempt({ syscall: 'symlink', path: written, dest }, async () => {
    if (written === '') throw new WarrenError('ENOENT')
    const place = await resolveName(context, dest, { follow: false })
    if (place.name === undefined || place.entry !== undefined) throw new WarrenError('EEXIST')
    if (place.mustBeDirectory) throw new WarrenError('ENOENT')
    const { volume, directory, name } = place
    await volume.update(async transaction => {
      await transaction.create(directory, name, {
        type: 'symlink',
        mode: 0o777,
        uid: context.uid,
        gid: context.gid,
        target: written
      })
    })
  })
}

export async function readLink(
  context: FileSystemContext,
  path: PathLike,
  options?: EncodingOptions | EncodingOption
): Promise<string | Uint8Array> {
  const { encoding } = withEncoding<EncodingOptions>(options)
  const written = toPath(path)
  return await attempt({ syscall: 'readlink', path: written }, async () => {
    const { inode } = await resolve(context, written, { follow: false })
    if (inode.target === undefined) throw new WarrenError('EINVAL')
    return nameInEncoding(inode.target, encoding)
  })
}

export async function realPath(
  context: FileSystemContext,
  path: PathLike,
  options?: EncodingOptions | EncodingOption
): Promise<string | Uint8Array> {
  const { encoding } = withEncoding<EncodingOptions>(options)
  const written = toPath(path)
  return await attempt({ syscall: 'realpath', path: written }, async () => {
    return nameInEncoding((await resolve(context, written)).path, encoding)
  })
}
