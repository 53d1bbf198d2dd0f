/**
 * Finds what a path means. The walk goes name by name through directories, follows symbolic links,
 * and enters a mounted volume wherever one stands at the path walked so far. `..` goes back along
 * the path that was walked, so it leaves a mounted volume the way it was entered.
 */
import type { StoreOptions } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import type { Mounted } from '../mounts/mounts.ts'
import type { DirectoryEntry, Inode, InodeNumber, Snapshot, Volume } from '../volume/volume.ts'
import type { FileSystemContext } from './context.ts'
import { checkNameLength, joinPath, meansDirectory, splitPath } from './paths.ts'

/** So many symbolic links may stand on one path, as on Linux; more are taken for a circle. */
export const SYMLINKS_MAX = 40

/** A directory on the way. */
interface Step {
  /** Canonical. */
  readonly path: string
  readonly mounted: Mounted
  readonly snapshot: Snapshot
  readonly directory: InodeNumber
}

/** What is at a path. */
export interface Place {
  /** Canonical: absolute, without symbolic links. */
  readonly path: string
  readonly mounted: Mounted
  readonly volume: Volume
  readonly snapshot: Snapshot
  readonly inode: Inode
}

/** A name in a directory, whether or not something has it. */
export interface NamePlace {
  readonly path: string
  readonly mounted: Mounted
  readonly volume: Volume
  readonly snapshot: Snapshot
  readonly directory: InodeNumber
  readonly name: string
  readonly entry: DirectoryEntry | undefined
  /** Written so that only a directory may be meant. */
  readonly mustBeDirectory: boolean
}

/** A path whose last name is not one: `/`, or what ends in `.` or `..`, or where something is mounted. */
export interface FixedPlace {
  readonly path: string
  readonly mounted: Mounted
  readonly snapshot: Snapshot
  readonly inode: InodeNumber
  readonly name: undefined
  /** Its path is a mount point (as the root always is). */
  readonly isMountPoint: boolean
}

export interface ResolveOptions extends StoreOptions {
  /** Follow a symbolic link that stands at the end of the path. Default true. */
  readonly follow?: boolean | undefined
  /** With `follow: false`, follow it nevertheless where a slash comes after it. Default false. */
  readonly followBeforeSlash?: boolean
}

/** What is at a path. Throws `ENOENT`, `ENOTDIR`, `ELOOP`, `ENAMETOOLONG`. */
export async function resolve(
  context: FileSystemContext,
  path: string,
  options: ResolveOptions = {}
): Promise<Place> {
  const found = await resolveName(context, path, { ...options, followBeforeSlash: true })
  const number = found.name === undefined ? found.inode : found.entry?.inode
  if (number === undefined) throw new WarrenError('ENOENT')
  if (found.name !== undefined && found.mustBeDirectory) expectDirectory(found.entry)
  const inode = await found.snapshot.inode(number, options)
  if (inode === undefined) throw new WarrenError('ESTALE')
  const { mounted, snapshot } = found
  return { path: found.path, mounted, volume: mounted.volume, snapshot, inode }
}

/** The same, of a directory. Throws `ENOTDIR` for anything else. */
export async function resolveDirectory(
  context: FileSystemContext,
  path: string,
  options?: ResolveOptions
): Promise<Place> {
  const place = await resolve(context, path, options)
  if (place.inode.type !== 'directory') throw new WarrenError('ENOTDIR')
  return place
}

/**
 * The last name of a path in its directory, whether or not it is taken. A link that has it leads to
 * the name that it points to, unless `follow` is false.
 */
export async function resolveName(
  context: FileSystemContext,
  path: string,
  options: ResolveOptions = {}
): Promise<NamePlace | FixedPlace> {
  return await new Walk(context, path, options).run()
}

class Walk {
  readonly #context: FileSystemContext
  readonly #options: ResolveOptions
  readonly #snapshots = new Map<Volume, Snapshot>()
  readonly #steps: Step[] = []
  /** Names still to be walked, the next one last. */
  readonly #names: string[]
  #mustBeDirectory: boolean
  #links = 0

  constructor(context: FileSystemContext, path: string, options: ResolveOptions) {
    this.#context = context
    this.#options = options
    this.#names = splitPath(path).reverse()
    this.#mustBeDirectory = meansDirectory(path)
  }

  async run(): Promise<NamePlace | FixedPlace> {
    this.#steps.push(await this.#enter(await this.#root()))
    for (let name = this.#names.pop(); name !== undefined; name = this.#names.pop()) {
      this.#options.signal?.throwIfAborted()
      if (name === '.') continue
      if (name === '..') {
        if (this.#steps.length > 1) this.#steps.pop()
        continue
      }
      const found = await this.#step(name)
      if (found !== undefined) return found
    }
    const { path, mounted, snapshot, directory } = this.#here()
    const isMountPoint = path === mounted.path
    return { path, mounted, snapshot, inode: directory, name: undefined, isMountPoint }
  }

  /** Goes on to the next name; gives the result when it was the last and is no directory to enter. */
  async #step(name: string): Promise<NamePlace | FixedPlace | undefined> {
    checkNameLength(name)
    const here = this.#here()
    const path = joinPath(here.path, name)
    const isLast = this.#names.length === 0
    const mounted = await this.#context.mounts.at(path, this.#options)
    if (mounted !== undefined) return await this.#cross(mounted, isLast)
    const entry = await here.snapshot.lookup(here.directory, name, this.#options)
    if (entry === undefined && !isLast) throw new WarrenError('ENOENT')
    if (entry?.type === 'symlink' && this.#follows(isLast)) {
      await this.#follow(entry)
      return undefined
    }
    if (isLast) return this.#named({ ...here, path, name, entry })
    expectDirectory(entry)
    this.#steps.push({ ...here, path, directory: entry!.inode })
    return undefined
  }

  #follows(isLast: boolean): boolean {
    const { follow, followBeforeSlash } = this.#options
    if (!isLast || follow !== false) return true
    return followBeforeSlash === true && this.#mustBeDirectory
  }

  async #cross(mounted: Mounted, isLast: boolean): Promise<FixedPlace | undefined> {
    const step = await this.#enter(mounted)
    if (isLast) {
      const { path, snapshot, directory } = step
      return { path, mounted, snapshot, inode: directory, name: undefined, isMountPoint: true }
    }
    const inode = await step.snapshot.inode(step.directory, this.#options)
    if (inode?.type !== 'directory') throw new WarrenError('ENOTDIR')
    this.#steps.push(step)
    return undefined
  }

  async #follow(entry: DirectoryEntry): Promise<void> {
    if (++this.#links > SYMLINKS_MAX) throw new WarrenError('ELOOP')
    const inode = await this.#here().snapshot.inode(entry.inode, this.#options)
    const target = inode?.target
    if (target === undefined) throw new WarrenError('ESTALE')
    if (this.#names.length === 0 && meansDirectory(target)) this.#mustBeDirectory = true
    this.#names.push(...splitPath(target).reverse())
    // A link's absolute target begins at the root of the namespace of whoever follows it.
    if (target.startsWith('/')) this.#steps.length = 1
  }

  #named(
    found: Step & { readonly name: string; readonly entry: DirectoryEntry | undefined }
  ): NamePlace {
    const volume = found.mounted.volume
    return { ...found, volume, mustBeDirectory: this.#mustBeDirectory }
  }

  #here(): Step {
    return this.#steps.at(-1)!
  }

  async #root(): Promise<Mounted> {
    const root = await this.#context.mounts.at('/', this.#options)
    if (root === undefined) throw new WarrenError('EIO', { message: 'nothing is mounted at /' })
    return root
  }

  /** One snapshot of each volume for the whole walk, so that it sees one moment of each. */
  async #enter(mounted: Mounted): Promise<Step> {
    const known = this.#snapshots.get(mounted.volume)
    const snapshot = known ?? (await mounted.volume.snapshot(this.#options))
    this.#snapshots.set(mounted.volume, snapshot)
    return { path: mounted.path, mounted, snapshot, directory: mounted.inode }
  }
}

function expectDirectory(entry: DirectoryEntry | undefined): void {
  if (entry !== undefined && entry.type !== 'directory') throw new WarrenError('ENOTDIR')
}
