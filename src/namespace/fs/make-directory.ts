/** `mkdir` and `mkdtemp`. */
import { WarrenError, isWarrenError } from '../../errors.ts'
import { parseMode } from './arguments.ts'
import type { FileSystemContext } from './context.ts'
import { newDirectory } from './context.ts'
import { attempt } from './failures.ts'
import type { MakeDirectoryOptions } from './file-system.ts'
import type { PathLike } from './paths.ts'
import { checkNameLength, splitPath, toPath } from './paths.ts'
import type { Place } from './resolve.ts'
import { resolve, resolveName } from './resolve.ts'

const DIRECTORY_MODE = 0o777
const TEMPORARY_MODE = 0o700
const TEMPORARY_LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
const TEMPORARY_LENGTH = 6

/** How many random names may all be taken before giving up. */
const TEMPORARY_TRIES_MAX = 100

export async function makeDirectory(
  context: FileSystemContext,
  path: PathLike,
  options?: MakeDirectoryOptions | number | string | null
): Promise<string | undefined> {
  const written = toPath(path)
  const settings: MakeDirectoryOptions =
    typeof options === 'object' && options !== null ? options : { mode: options ?? undefined }
  const mode = parseMode(settings.mode, DIRECTORY_MODE)
  return await attempt({ syscall: 'mkdir', path: written }, async () => {
    if (settings.recursive === true) return await makeAll(context, written, mode)
    await makeOne(context, written, mode)
    return undefined
  })
}

/** Gives the path of the directory it made. */
export async function makeTemporaryDirectory(
  context: FileSystemContext,
  prefix: PathLike
): Promise<string> {
  const written = toPath(prefix, 'prefix')
  return await attempt({ syscall: 'mkdtemp', path: `${written}XXXXXX` }, async () => {
    for (let tries = 0; tries < TEMPORARY_TRIES_MAX; tries++) {
      const path = written + randomName()
      try {
        await makeOne(context, path, TEMPORARY_MODE)
        return path
      } catch (error) {
        if (!isWarrenError(error, 'EEXIST')) throw error
      }
    }
    throw new WarrenError('EEXIST')
  })
}

async function makeOne(context: FileSystemContext, path: string, mode: number): Promise<void> {
  const place = await resolveName(context, path, { follow: false })
  if (place.name === undefined || place.entry !== undefined) throw new WarrenError('EEXIST')
  const { volume, directory, name } = place
  await volume.update(async transaction => {
    await transaction.create(directory, name, newDirectory(context, mode))
  })
}

/** Makes what is missing of a path in one transaction; gives the first directory it made. */
async function makeAll(
  context: FileSystemContext,
  path: string,
  mode: number
): Promise<string | undefined> {
  const names = splitPath(path)
  const { place, count } = await deepestExisting(context, path, names)
  if (place.inode.type !== 'directory') {
    const isLast = count === names.length && !path.endsWith('/')
    throw new WarrenError(isLast ? 'EEXIST' : 'ENOTDIR')
  }
  const missing = withoutDots(names.slice(count))
  for (const name of missing) checkNameLength(name)
  const firstMade =
    missing.length === 0 ? undefined : await makeMissing(context, place, { missing, mode })
  if (firstMade === undefined) return undefined
  // As Node gives it: the last one as it was written.
  if (firstMade === missing.length - 1) return path
  return prefixOf(path, [...names.slice(0, count), ...missing.slice(0, firstMade + 1)])
}

async function makeMissing(
  context: FileSystemContext,
  place: Place,
  { missing, mode }: { readonly missing: readonly string[]; readonly mode: number }
): Promise<number | undefined> {
  return await place.volume.update(async transaction => {
    let directory = place.inode.number
    let firstMade: number | undefined
    for (const [index, name] of missing.entries()) {
      const entry = await transaction.lookup(directory, name)
      if (entry !== undefined && entry.type !== 'directory') {
        if (index < missing.length - 1) throw new WarrenError('ENOTDIR')
        // A link that is found here leads nowhere, or it would have been followed.
        throw new WarrenError(entry.type === 'symlink' ? 'ENOENT' : 'EEXIST')
      }
      if (entry === undefined) firstMade ??= index
      directory =
        entry?.inode ??
        (await transaction.create(directory, name, newDirectory(context, mode))).number
    }
    return firstMade
  })
}

/** The longest beginning of a path that is there, and how many names it has. */
async function deepestExisting(
  context: FileSystemContext,
  path: string,
  names: readonly string[]
): Promise<{ readonly place: Place; readonly count: number }> {
  for (let count = names.length; count > 0; count--) {
    try {
      return { place: await resolve(context, prefixOf(path, names.slice(0, count))), count }
    } catch (error) {
      if (!isWarrenError(error, 'ENOENT')) throw error
    }
  }
  return { place: await resolve(context, '/'), count: 0 }
}

function prefixOf(path: string, names: readonly string[]): string {
  return (path.startsWith('/') ? '/' : '') + names.join('/')
}

/** Names that do not exist yet hold no links, so `..` can be taken literally among them. */
function withoutDots(names: readonly string[]): string[] {
  const kept: string[] = []
  for (const name of names) {
    if (name === '..') kept.pop()
    else if (name !== '.') kept.push(name)
  }
  return kept
}

function randomName(): string {
  const random = crypto.getRandomValues(new Uint32Array(TEMPORARY_LENGTH))
  return Array.from(random, value => TEMPORARY_LETTERS[value % TEMPORARY_LETTERS.length]).join('')
}
