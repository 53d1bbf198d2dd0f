/**
 * The mount table of one peer: its own volume at `/`, what was mounted by link, and `/peers`.
 * Mounts survive a restart; an owner who is away does not keep a mount from being opened again.
 */
import type { StoreOptions } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import { parseLink } from '../link.ts'
import type { Link } from '../link.ts'
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
  readonly peers: PeerDirectory
  /** Opens a volume by link; the same volume for the same id. */
  readonly openVolume: (link: Link) => Volume
  /** The mount table stopped using a volume. */
  readonly closeVolume: (volume: Volume) => Promise<void>
}

interface Mount {
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
    for (const { path, link } of records) this.#add(path, link)
  }

  /** Mounts what a link names, in place of what was mounted there. Throws `EINVAL`, `EBUSY`, `ENOSPC`. */
  async mount(path: string, link: string): Promise<Mounted> {
    const at = canonicalPath(path)
    if (at === '/' || isWithin(at, PEERS_PATH)) {
      throw new WarrenError('EBUSY', {
        message: 'nothing can be mounted there',
        syscall: 'mount',
        path
      })
    }
    if (this.#mounts.size >= MOUNTS_MAX) {
      throw new WarrenError('ENOSPC', {
        message: `over ${MOUNTS_MAX} mounts`,
        syscall: 'mount',
        path
      })
    }
    const before = this.#mounts.get(at)
    const { volume } = this.#add(at, link)
    if (before !== undefined) await this.#closeUnused(before.volume)
    return { path: at, volume, inode: ROOT_INODE }
  }

  /** Throws `EINVAL` when nothing is mounted at exactly this path, `EBUSY` with mounts below it. */
  async unmount(path: string): Promise<void> {
    const at = canonicalPath(path)
    const mount = this.#mounts.get(at)
    if (mount === undefined) {
      throw new WarrenError('EINVAL', { message: 'nothing is mounted', syscall: 'unmount', path })
    }
    if ([...this.#mounts.keys()].some(other => other !== at && isWithin(other, at))) {
      throw new WarrenError('EBUSY', { message: 'mounts below it', syscall: 'unmount', path })
    }
    this.#mounts.delete(at)
    await this.#closeUnused(mount.volume)
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

  /** Which volume holds a canonical path, and under which path of its own; by names only. */
  locate(path: string): { readonly volume: Volume; readonly path: string } {
    const above = [...this.#mounts.values()].filter(mount => isWithin(path, mount.path))
    const mount = above.sort((a, b) => b.path.length - a.path.length)[0]
    if (mount === undefined) return { volume: this.#components.own, path }
    return {
      volume: mount.volume,
      path: canonicalPath(mount.link.path + '/' + path.slice(mount.path.length))
    }
  }

  namesUnder(path: string): readonly string[] {
    return [...this.#mounts.keys()].filter(at => parentPath(at) === path).map(lastName)
  }

  volumes(): readonly Volume[] {
    return [...new Set([this.#components.own, ...this.list().map(({ volume }) => volume)])]
  }

  #add(path: string, text: string): Mount {
    const link = parseLink(text)
    const mount = { path, text, link, volume: this.#components.openVolume(link) }
    this.#mounts.set(path, mount)
    return mount
  }

  async #closeUnused(volume: Volume): Promise<void> {
    if (!this.volumes().includes(volume)) await this.#components.closeVolume(volume)
  }
}
