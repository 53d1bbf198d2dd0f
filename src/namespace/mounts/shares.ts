/** What a peer offers to others: paths of its namespace, each under a name of its own. */
import { WarrenError } from '../../errors.ts'
import { OFFERS_MAX } from '../heads/head-messages.ts'
import type { Offer } from '../heads/head-messages.ts'
import { isShareName } from '../heads/share-name.ts'
import type { VolumeId } from '../heads/head.ts'
import type { MountTable } from './mount-table.ts'
import type { ShareRecord } from './namespace-store.ts'
import { PEERS_PATH } from './peer-directory.ts'
import { isWithin, lastName } from './paths.ts'

/** What the whole namespace is called when nobody gives it a name. */
const ROOT_NAME = 'home'

export class Shares {
  readonly #table: Pick<MountTable, 'locate'>
  readonly #shares = new Map<string, ShareRecord>()

  constructor(table: Pick<MountTable, 'locate'>, records: readonly ShareRecord[]) {
    this.#table = table
    for (const record of records) this.#shares.set(record.path, record)
  }

  /** Shares a canonical path, or renames its share. Throws `EEXIST` when the name is taken, `EINVAL`, `ENOSPC`. */
  add(path: string, name?: string): ShareRecord {
    const known = this.#shares.get(path)
    if (known !== undefined && (name === undefined || name === known.name)) return known
    if (isWithin(path, PEERS_PATH))
      throw refused('EINVAL', 'it is another peer’s share already', path)
    if (this.#shares.size >= OFFERS_MAX) throw refused('ENOSPC', `over ${OFFERS_MAX} shares`, path)
    const chosen: string = name ?? this.#freeName(path)
    if (!isShareName(chosen)) throw refused('EINVAL', 'not the name of a share', path)
    if (this.#isTaken(chosen, path)) throw refused('EEXIST', `the name '${chosen}'`, path)
    const record = { path, name: chosen }
    this.#shares.set(path, record)
    return record
  }

  /** Throws `EINVAL` when the path is not shared. */
  remove(path: string): void {
    if (!this.#shares.delete(path)) throw refused('EINVAL', 'it is not shared', path)
  }

  list(): readonly ShareRecord[] {
    return [...this.#shares.values()]
  }

  offers(): readonly Offer[] {
    return this.list().map(({ path, name }) => {
      const located = this.#table.locate(path)
      return { volume: located.volume.id, name, path: located.path }
    })
  }

  /** Whether anything of a volume is shared. */
  shows(volume: VolumeId): boolean {
    return this.offers().some(offer => offer.volume === volume)
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

function refused(code: 'EINVAL' | 'EEXIST' | 'ENOSPC', message: string, path: string): WarrenError {
  return new WarrenError(code, { message, syscall: 'share', path })
}
