/** What a peer offers to others: paths of its namespace, each under a name of its own. */
import { WarrenError } from '../../errors.ts'
import { OFFERS_MAX } from '../heads/head-messages.ts'
import type { Offer } from '../heads/head-messages.ts'
import { isShareName } from '../heads/share-name.ts'
import type { VolumeId } from '../heads/head.ts'
import type { Volume } from '../volume/volume.ts'
import type { MountTable } from './mount-table.ts'
import type { ShareRecord } from './namespace-store.ts'
import { PEERS_PATH } from './peer-directory.ts'
import { isWithin, lastName } from './paths.ts'

/** What the whole namespace is called when nobody gives it a name. */
const ROOT_NAME = 'home'

export interface SharesComponents {
  readonly table: Pick<MountTable, 'locate'>
  /** The list of shares has changed: makes it durable. When it throws the change is undone. */
  readonly changed: () => Promise<void>
}

export class Shares {
  readonly #components: SharesComponents
  readonly #shares = new Map<string, ShareRecord>()

  constructor(components: SharesComponents, records: readonly ShareRecord[]) {
    this.#components = components
    for (const record of records) this.#shares.set(record.path, record)
  }

  /** Shares a canonical path, or renames its share. Throws `EEXIST` when the name is taken, `EINVAL`, `ENOSPC`. */
  async add(path: string, name?: string): Promise<ShareRecord> {
    const known = this.#shares.get(path)
    if (known !== undefined && (name === undefined || name === known.name)) return known
    const record = this.#newRecord(path, name)
    await this.#replace(path, record)
    return record
  }

  /** Throws `EINVAL` when the path is not shared. */
  async remove(path: string): Promise<void> {
    if (!this.#shares.has(path)) throw refused('EINVAL', 'it is not shared', path, 'unshare')
    await this.#replace(path, undefined)
  }

  has(path: string): boolean {
    return this.#shares.has(path)
  }

  async #replace(path: string, record: ShareRecord | undefined): Promise<void> {
    const before = this.#shares.get(path)
    this.#put(path, record)
    try {
      await this.#components.changed()
    } catch (error) {
      this.#put(path, before)
      throw error
    }
  }

  #put(path: string, record: ShareRecord | undefined): void {
    if (record === undefined) this.#shares.delete(path)
    else this.#shares.set(path, record)
  }

  #newRecord(path: string, name: string | undefined): ShareRecord {
    if (isWithin(path, PEERS_PATH))
      throw refused('EINVAL', 'it is another peer’s share already', path)
    if (!this.#shares.has(path) && this.#shares.size >= OFFERS_MAX) {
      throw refused('ENOSPC', `over ${OFFERS_MAX} shares`, path)
    }
    const chosen: string = name ?? this.#freeName(path)
    if (!isShareName(chosen)) throw refused('EINVAL', 'not the name of a share', path)
    if (this.#isTaken(chosen, path)) throw refused('EEXIST', `the name '${chosen}'`, path)
    return { path, name: chosen }
  }

  list(): readonly ShareRecord[] {
    return [...this.#shares.values()]
  }

  /**
   * What others are told of. Names of what is sealed are for those only who are given its link, and
   * nobody else could read it.
   */
  offers(): readonly Offer[] {
    return this.#located().flatMap(({ name, volume, path }) =>
      volume.readKey === undefined ? [{ volume: volume.id, name, path }] : []
    )
  }

  /** Whether anything of a volume is shared. */
  shows(volume: VolumeId): boolean {
    return this.#located().some(share => share.volume.id === volume)
  }

  #located(): { readonly name: string; readonly volume: Volume; readonly path: string }[] {
    return this.list().map(({ path, name }) => {
      const located = this.#components.table.locate(path)
      return { name, volume: located.volume, path: located.path }
    })
  }

  #freeName(path: string): string {
    const wanted = path === '/' ? ROOT_NAME : lastName(path)
    for (let number = 2, name = wanted; ; name = `${wanted}-${number++}`) {
      if (!this.#isTaken(name, path)) return name
    }
  }

  #isTaken(name: string, path: string): boolean {
    return this.list().some(record => record.name === name && record.path !== path)
  }
}

function refused(
  code: 'EINVAL' | 'EEXIST' | 'ENOSPC',
  message: string,
  path: string,
  syscall = 'share'
): WarrenError {
  return new WarrenError(code, { message, syscall, path })
}
