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
    try {
      if (options.offline !== true) await readRoot(mount, options)
      // Others may have been mounted while this one was looked at.
      this.#requirePlace(path)
      await this.#replace(path, mount)
    } catch (error) {
      await this.#components.closeLink(mount.link)
      throw isWarrenError(error) && error.syscall === undefined
        ? new WarrenError(error.code, { syscall: 'mount', path, cause: error })
        : error
    }
  }

  /** Throws `EINVAL` when nothing is mounted at exactly this canonical path, `EBUSY` with mounts below it. */
  async unmount(path: string): Promise<void> {
    if (!this.#mounts.has(path))
      throw refused('EINVAL', 'nothing is mounted there', path, 'unmount')
    if (this.hasBelow(path)) {
      throw refused('EBUSY', 'something is mounted below it', path, 'unmount')
    }
    await this.#replace(path, undefined)
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
    const above = [...this.#mounts.values()].filter(mount => isWithin(path, mount.path))
    const mount = above.sort((a, b) => b.path.length - a.path.length)[0]
    if (mount === undefined) return { volume: this.#components.own, path, sources: [] }
    return {
      volume: mount.volume,
      sources: mount.link.peers,
      path: canonicalPath(mount.link.path + '/' + path.slice(mount.path.length))
    }
  }

  namesUnder(path: string): readonly string[] {
    return [...this.#mounts.keys()].filter(at => parentPath(at) === path).map(lastName)
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
    if (!this.#mounts.has(path) && this.#mounts.size >= MOUNTS_MAX) {
      throw refused('ENOSPC', `over ${MOUNTS_MAX} mounts`, path)
    }
  }

  #open(path: string, text: string): Mount {
    const link = parseLink(text)
    return { path, text, link, volume: this.#components.openLink(link) }
  }

  /** What stood there is let go of only when the change is durable. */
  async #replace(path: string, mount: Mount | undefined): Promise<void> {
    const before = this.#mounts.get(path)
    this.#put(path, mount)
    try {
      await this.#components.changed()
    } catch (error) {
      this.#put(path, before)
      throw error
    }
    if (before !== undefined) await this.#components.closeLink(before.link)
  }

  #put(path: string, mount: Mount | undefined): void {
    if (mount === undefined) this.#mounts.delete(path)
    else this.#mounts.set(path, mount)
  }
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
