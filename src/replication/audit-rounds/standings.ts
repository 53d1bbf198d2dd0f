/** What is known of the holders of one volume: as long as they are listed, and distrust after a restart too. */
import type { PeerId } from '../../peer/index.ts'
import type { HolderList } from '../holders/holder-list.ts'
import type { Distrust } from './distrust.ts'
import { Standing } from './standing.ts'

export class Standings {
  readonly #standings = new Map<PeerId, Standing>()

  constructor(distrusted: readonly Distrust[]) {
    for (const { holder, reason, sinceMs } of distrusted) {
      this.#standings.set(holder, new Standing({ reason, sinceMs }))
    }
  }

  find(holder: PeerId): Standing | undefined {
    return this.#standings.get(holder)
  }

  of(holder: PeerId): Standing {
    const known = this.#standings.get(holder)
    if (known !== undefined) return known
    const standing = new Standing()
    this.#standings.set(holder, standing)
    return standing
  }

  distrusted(): Distrust[] {
    return [...this.#standings].flatMap(([holder, { distrust }]) =>
      distrust === undefined ? [] : [{ holder, ...distrust }]
    )
  }

  /** Forgets whoever is not listed. True: somebody distrusted was among them. */
  keep({ holders }: HolderList): boolean {
    const listed = new Set(holders.map(({ peer }) => peer))
    let isOther = false
    for (const [holder, { distrust }] of this.#standings) {
      if (listed.has(holder)) continue
      this.#standings.delete(holder)
      isOther ||= distrust !== undefined
    }
    return isOther
  }
}
