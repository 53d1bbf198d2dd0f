/** `stat` and `lstat`. */
import type { ErrorCode } from '../../errors.ts'
import { isWarrenError } from '../../errors.ts'
import type { FileSystemContext } from './context.ts'
import { attempt } from './failures.ts'
import type { StatOptions } from './file-handle.ts'
import type { PathLike } from './paths.ts'
import { toPath } from './paths.ts'
import { viewOf } from './read-file.ts'
import { resolve } from './resolve.ts'
import { BigIntStats, Stats } from './stats.ts'

export async function stat(
  context: FileSystemContext,
  path: PathLike,
  options: (StatOptions & { readonly follow?: boolean }) | undefined
): Promise<Stats | BigIntStats> {
  const written = toPath(path)
  const follow = options?.follow !== false
  return await attempt({ syscall: follow ? 'stat' : 'lstat', path: written }, async () => {
    const signal = options?.signal
    const place = await resolve(
      context,
      written,
      signal === undefined ? { follow } : { follow, signal }
    )
    const stats = new Stats((await viewOf(context, place)).inode, place.volume.id)
    return options?.bigint === true ? new BigIntStats(stats) : stats
  })
}

/** What `stat` says when there is nothing at a path. Other errors mean that nobody knows. */
const ABSENT: readonly ErrorCode[] = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG']

export async function exists(context: FileSystemContext, path: PathLike): Promise<boolean> {
  try {
    await stat(context, path, undefined)
    return true
  } catch (error) {
    if (isWarrenError(error) && ABSENT.includes(error.code)) return false
    throw error
  }
}
