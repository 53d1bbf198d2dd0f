/** `chmod`, `chown`, `utimes` and their forms that do not follow links, `access`, and user-defined attributes. */
import { WarrenError } from '../../errors.ts'
import type { InodePatch, Transaction } from '../volume/volume.ts'
import { parseMode, parseTime } from './arguments.ts'
import { constants } from './constants.ts'
import type { FileSystemContext } from './context.ts'
import { copyBytes } from './copy-bytes.ts'
import { attempt } from './failures.ts'
import type { CancelOptions, TimeLike } from './file-handle.ts'
import type { PathLike } from './paths.ts'
import { toPath } from './paths.ts'
import type { Place } from './resolve.ts'
import { resolve } from './resolve.ts'
import { encodeText } from './text.ts'

const ANYBODY_EXECUTES = constants.S_IXUSR | constants.S_IXGRP | constants.S_IXOTH

export interface FollowOptions {
  /** Follow a symbolic link at the end of the path. Default true. */
  readonly follow?: boolean
}

export async function changeMode(
  context: FileSystemContext,
  path: PathLike,
  mode: number | string
): Promise<void> {
  const bits = parseMode(mode, 0)
  await patch(context, { path, syscall: 'chmod', follow: true }, { mode: bits })
}

/** An id of -1 stays as it is. */
export async function changeOwner(
  context: FileSystemContext,
  path: PathLike,
  owner: FollowOptions & { readonly uid: number; readonly gid: number }
): Promise<void> {
  const { uid, gid, follow = true } = owner
  const syscall = follow ? 'chown' : 'lchown'
  const change = { ...(uid < 0 ? {} : { uid }), ...(gid < 0 ? {} : { gid }) }
  await patch(context, { path, syscall, follow }, change)
}

export async function changeTimes(
  context: FileSystemContext,
  path: PathLike,
  times: FollowOptions & { readonly atime: TimeLike; readonly mtime: TimeLike }
): Promise<void> {
  const { atime, mtime, follow = true } = times
  const syscall = follow ? 'utime' : 'lutime'
  const change = { atimeMs: parseTime(atime), mtimeMs: parseTime(mtime) }
  await patch(context, { path, syscall, follow }, change)
}

export async function access(
  context: FileSystemContext,
  path: PathLike,
  mode: number = constants.F_OK
): Promise<void> {
  const written = toPath(path)
  await attempt({ syscall: 'access', path: written }, async () => {
    const { inode, volume } = await resolve(context, written)
    if ((mode & constants.W_OK) !== 0 && !volume.writable) throw new WarrenError('EROFS')
    const isExecutable = inode.type === 'directory' || (inode.mode & ANYBODY_EXECUTES) !== 0
    if ((mode & constants.X_OK) !== 0 && !isExecutable) throw new WarrenError('EACCES')
  })
}

export async function getAttribute(
  context: FileSystemContext,
  path: PathLike,
  name: string,
  options: CancelOptions = {}
): Promise<Uint8Array | undefined> {
  return await withPlace(context, { path, syscall: 'getxattr', ...options }, async place => {
    const value = await place.snapshot.attribute(place.inode.number, name)
    return value && copyBytes(value)
  })
}

export async function listAttributes(
  context: FileSystemContext,
  path: PathLike,
  options: CancelOptions = {}
): Promise<string[]> {
  return await withPlace(context, { path, syscall: 'listxattr', ...options }, place =>
    place.snapshot.attributes(place.inode.number)
  )
}

export async function setAttribute(
  context: FileSystemContext,
  path: PathLike,
  name: string,
  value: Uint8Array | string
): Promise<void> {
  const bytes = typeof value === 'string' ? encodeText(value) : copyBytes(value)
  await update(context, { path, syscall: 'setxattr', follow: true }, (transaction, place) =>
    transaction.setAttribute(place.inode.number, name, bytes)
  )
}

export async function removeAttribute(
  context: FileSystemContext,
  path: PathLike,
  name: string
): Promise<void> {
  await update(context, { path, syscall: 'removexattr', follow: true }, (transaction, place) =>
    transaction.setAttribute(place.inode.number, name, undefined)
  )
}

interface Call {
  readonly path: PathLike
  readonly syscall: string
  readonly follow?: boolean
  readonly signal?: AbortSignal | undefined
}

async function patch(context: FileSystemContext, call: Call, change: InodePatch): Promise<void> {
  await update(context, call, async (transaction, { inode }) => {
    await transaction.patch(inode.number, change)
  })
}

async function update(
  context: FileSystemContext,
  call: Call,
  work: (transaction: Transaction, place: Place) => Promise<void>
): Promise<void> {
  await withPlace(context, call, async place => {
    // What is buffered brings its own time of change: it goes first.
    await context.files.find(place.volume, place.inode.number)?.store()
    await place.volume.update(transaction => work(transaction, place))
  })
}

async function withPlace<Result>(
  context: FileSystemContext,
  { path, syscall, follow, signal }: Call,
  work: (place: Place) => Promise<Result>
): Promise<Result> {
  const written = toPath(path)
  return await attempt({ syscall, path: written }, async () => {
    const options = signal === undefined ? { follow } : { follow, signal }
    return await work(await resolve(context, written, options))
  })
}
