/**
 * The mount table of one peer: its own volume at `/`, what was mounted by link, and `/peers`.
 * Mounts survive a restart; an owner who is away does not keep a mount from being opened again.
 */
import type { StoreOptions } from '../../blocks/index.ts'
import { WarrenError, isWarrenError } from '../../errors.ts'
import { parseLink } from '../link.ts'
import type { Link, LinkPeer } from '../link.ts'
import { ROOT_INODE } from '../volume/volume.ts'
import type { Volume } from '../volume/volume.ts'
import type { Mounted, Mounts } from './mounts.ts'
import type { MountRecord } from './namespace-store.ts'
import { PEERS_PATH } from './peer-directory.ts'
import type { PeerDirectory } from './peer-directory.ts'
import { canonicalPath, isWithin, lastName, parentPath } from './paths.ts'
import { walkVolume } from './walk.ts'

/** More than anyone mounts by hand; each costs a subscription at its sources. */
export const MOUNTS_MAX = 1_024

export interface MountTableComponents {
  readonly own: Volume
  readonly peers: Pick<PeerDirectory, 'at'>
  /** Opens the volume of a link; the same volume for the same id. */
  readonly openLink: (link: Link) => Volume
  /** Undoes one `openLink`. */
  readonly closeLink: (link: Link) => Promise<void>
  /** The list of mounts has changed: makes it durable. When it throws the change is undone. */
  readonly changed: () => Promise<void>
}

export interface MountOptions extends StoreOptions {
  /** Mount it although nobody who has it may be reached now. Default false. */
  readonly offline?: boolean
}

export interface Located {
  readonly volume: Volume
  /** Canonical, in the volume. */
  readonly path: string
  /** The peers of the link it was mounted by; none for the own volume. */
  readonly sources: readonly LinkPeer[]
}

interface Mount {
  /** Canonical. */
  readonly path: string
  readonly text: string
  readonly link: Link
  readonly volume: Volume
}

export class MountTable implements Mounts {
  readonly #components: MountTableComponents
  readonly #mounts = new Map<string, Mount>()
  /** Being mounted: already written down, and not yet to be seen. */
  readonly #coming = new Map<string, Mount>()

  constructor(components: MountTableComponents, records: readonly MountRecord[]) {
    this.#components = components
    for (const { path, link } of records) this.#mounts.set(path, this.#open(path, link))
  }

  /**
   * Mounts what a link names at a canonical path, in place of what was mounted there. Unless
   * `offline`, its root is read first; what was there before stays when that fails. Throws
   * `EINVAL`, `EBUSY`, `ENOSPC`, and what reading throws.
   */
  async mount(path: string, text: string, options: MountOptions = {}): Promise<void> {
    this.#requirePlace(path)
    const mount = this.#open(path, text)
    this.#coming.set(path, mount)
    try {
      // The disk and the network need not wait for each other.
      await both(this.#components.changed(), options.offline ? undefined : readRoot(mount, options))
    } catch (error) {
      await this.#giveUp(mount)
      throw isWarrenError(error) && error.syscall === undefined
        ? new WarrenError(error.code, { syscall: 'mount', path, cause: error })
        : error
    }
    await this.#arrive(mount)
  }

  /** Throws `EINVAL` when nothing is mounted at exactly this canonical path, `EBUSY` with mounts below it. */
  async unmount(path: string): Promise<void> {
    if (!this.#mounts.has(path))
      throw refused('EINVAL', 'nothing is mounted there', path, 'unmount')
    if (this.hasBelow(path)) {
      throw refused('EBUSY', 'something is mounted below it', path, 'unmount')
    }
    const before = this.#mounts.get(path)!
    this.#mounts.delete(path)
    try {
      await this.#components.changed()
    } catch (error) {
      this.#mounts.set(path, before)
      throw error
    }
    await this.#components.closeLink(before.link)
  }

  /** What is to be kept: the mounts that are there, and those about to be. */
  records(): MountRecord[] {
    const all = new Map([...this.#mounts, ...this.#coming])
    return [...all.values()].map(({ path, text }) => ({ path, link: text }))
  }

  has(path: string): boolean {
    return this.#mounts.has(path)
  }

  list(): { readonly path: string; readonly link: string; readonly volume: Volume }[] {
    return [...this.#mounts.values()]
      .map(({ path, text, volume }) => ({ path, link: text, volume }))
      .sort((a, b) => (a.path < b.path ? -1 : 1))
  }

  async at(path: string, options?: StoreOptions): Promise<Mounted | undefined> {
    if (path === '/') return { path, volume: this.#components.own, inode: ROOT_INODE }
    const mount = this.#mounts.get(path)
    if (mount === undefined) return this.#components.peers.at(path, options)
    const inode = await walkVolume(mount.volume, mount.link.path, options)
    return { path, volume: mount.volume, inode }
  }

  /** Which volume holds a canonical path, under which path of its own, and who had it; by names only. */
  locate(path: string): Located {
    for (let at = path; at !== '/'; at = parentPath(at)) {
      const mount = this.#mounts.get(at)
      if (mount === undefined) continue
      const { volume, link } = mount
      const inside = canonicalPath(link.path + '/' + path.slice(at.length))
      return { volume, path: inside, sources: link.peers }
    }
    return { volume: this.#components.own, path, sources: [] }
  }

  namesUnder(path: string): readonly string[] {
    return [...this.#mounts.keys()].filter(at => parentPath(at) === path).map(lastName)
  }

  /** Shares of a peer. */
  mayStandUnder(path: string): boolean {
    return parentPath(path) === PEERS_PATH
  }

  hasBelow(path: string): boolean {
    return [...this.#mounts.keys()].some(at => at !== path && isWithin(at, path))
  }

  volumes(): readonly Volume[] {
    return [...new Set([this.#components.own, ...this.list().map(({ volume }) => volume)])]
  }

  #requirePlace(path: string): void {
    if (path === '/' || isWithin(path, PEERS_PATH)) {
      throw refused('EBUSY', 'nothing can be mounted there', path)
    }
    if (!this.#mounts.has(path) && this.#mounts.size + this.#coming.size >= MOUNTS_MAX) {
      throw refused('ENOSPC', `over ${MOUNTS_MAX} mounts`, path)
    }
  }

  #open(path: string, text: string): Mount {
    const link = parseLink(text)
    return { path, text, link, volume: this.#components.openLink(link) }
  }

  async #arrive(mount: Mount): Promise<void> {
    const { path } = mount
    const before = this.#mounts.get(path)
    this.#mounts.set(path, mount)
    if (this.#coming.get(path) === mount) this.#coming.delete(path)
    // Another one at the same path was written down after this one.
    else await this.#components.changed()
    if (before !== undefined) await this.#components.closeLink(before.link)
  }

  async #giveUp(mount: Mount): Promise<void> {
    if (this.#coming.get(mount.path) === mount) this.#coming.delete(mount.path)
    // Should this fail too, it is mounted after a restart although it could not be reached.
    await this.#components.changed().catch(() => {})
    await this.#components.closeLink(mount.link)
  }
}

/** Waits for both to end, and throws what the first of them threw. */
async function both(one: Promise<void>, other: Promise<void> | undefined): Promise<void> {
  const results = await Promise.allSettled([one, other])
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

/** Finds out whether somebody has what is to be mounted. */
async function readRoot({ volume, link }: Mount, options: StoreOptions): Promise<void> {
  const inode = await walkVolume(volume, link.path, options)
  const snapshot = await volume.snapshot(options)
  if ((await snapshot.inode(inode, options)) !== undefined) return
  throw new WarrenError('ENOENT', { message: `'${link.path}' of volume ${link.volume}` })
}

function refused(
  code: 'EINVAL' | 'EBUSY' | 'ENOSPC',
  message: string,
  path: string,
  syscall = 'mount'
): WarrenError {
  return new WarrenError(code, { message, syscall, path })
}
