/** Where in which volume a path of the namespace stands, for transfers that work below paths. */
import { WarrenError, isWarrenError } from './errors.ts'
import { childPath, lastName, parentPath, walkVolume } from './namespace/index.ts'
import type { FileSystem, Mounted, MountTable, TransferPlace } from './namespace/index.ts'

export interface TransferPath {
  /** As the caller wrote it; symbolic links are followed. */
  readonly path: string
  /** For what errors say. */
  readonly syscall: 'import' | 'export'
  readonly signal?: AbortSignal | undefined
}

interface Components {
  readonly fs: Pick<FileSystem, 'realpath'>
  readonly table: Pick<MountTable, 'at'>
}

/** Where something is. Throws `ENOENT`, and what reading throws. */
export function existingPlace(components: Components, from: TransferPath): Promise<TransferPlace> {
  return explained(from, async () =>
    placeAt(components.table, await components.fs.realpath(from.path), from)
  )
}

/** Where something is or will be: its parent must exist. Throws `EROFS`, `ENOENT`, and what reading throws. */
export function writablePlace(components: Components, to: TransferPath): Promise<TransferPlace> {
  return explained(to, async () => {
    const place = await placeAt(components.table, await futurePath(components.fs, to.path), to)
    if (!place.volume.writable) throw new WarrenError('EROFS')
    return place
  })
}

async function futurePath(fs: Components['fs'], path: string): Promise<string> {
  try {
    return await fs.realpath(path)
  } catch (error) {
    const [, parent, name] = /^(.*?)([^/]+)\/*$/.exec(path) ?? []
    if (!isWarrenError(error, 'ENOENT') || name === undefined || isDots(name)) throw error
    return childPath(await fs.realpath(parent === '' ? '/' : parent!), name)
  }
}

function isDots(name: string): boolean {
  return name === '.' || name === '..'
}

async function placeAt(
  table: Components['table'],
  path: string,
  { signal }: TransferPath
): Promise<TransferPlace> {
  const options = signal === undefined ? {} : { signal }
  const mounted = await mountedAbove(table, path, options)
  const { volume, inode } = mounted
  if (mounted.path === path) return { volume, directory: inode, name: undefined }
  const inside = mounted.path === '/' ? path : path.slice(mounted.path.length)
  const directory = await walkVolume(volume, parentPath(inside), { ...options, from: inode })
  return { volume, directory, name: lastName(inside) }
}

/** What is mounted the deepest on the way to a path. */
async function mountedAbove(
  table: Components['table'],
  path: string,
  options: { readonly signal?: AbortSignal }
): Promise<Mounted> {
  for (let at = path; ; at = parentPath(at)) {
    const mounted = await table.at(at, options)
    if (mounted !== undefined) return mounted
    if (at === '/') throw new WarrenError('EIO', { message: 'nothing is mounted at /' })
  }
}

/** Runs work whose errors, whatever call below they come from, say what the caller asked for. */
export async function explained<Result>(
  { path, syscall }: { readonly path: string; readonly syscall: string },
  work: () => Promise<Result>
): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!isWarrenError(error)) throw error
    throw new WarrenError(error.code, { syscall, path, cause: error })
  }
}
