/**
 * Who watches whom. Everybody computes it from the list alone, and watching is mutual: two holders
 * watch each other or neither does.
 *
 * The holders of a list stand in a ring, in the order of the list. Up to `WATCHED_MAX` others all
 * are watched; of more those at distances of powers of two both ways, which pass news to anybody in
 * as many hops as the size of the circle has binary digits, and the nearest ones.
 */
import type { PeerId } from '../../peer/index.ts'
import type { Holder, HolderList } from '../holders/holder-list.ts'
import { WATCHED_MAX } from './circle-limits.ts'

export class Ring {
  readonly #holders: readonly Holder[]
  readonly #places: ReadonlyMap<PeerId, number>
  readonly #distances: readonly number[]

  constructor({ holders }: Pick<HolderList, 'holders'>) {
    this.#holders = holders
    this.#places = new Map(holders.map(({ peer }, place) => [peer, place]))
    this.#distances = distancesIn(holders.length)
  }

  /** Whether everybody hears everybody. */
  get isWhole(): boolean {
    return this.#distances.length === this.#holders.length - 1
  }

  has(peer: PeerId): boolean {
    return this.#places.has(peer)
  }

  placeOf(peer: PeerId): number | undefined {
    return this.#places.get(peer)
  }

  peerAt(place: number): PeerId | undefined {
    return this.#holders[place]?.peer
  }

  /** Whom a holder watches; nobody when it is not listed. */
  watchedBy(peer: PeerId): PeerId[] {
    const place = this.#places.get(peer)
    if (place === undefined) return []
    const { length } = this.#holders
    return this.#distances.map(distance => this.#holders[(place + distance) % length]!.peer)
  }
}

/** Distances forwards; that of a holder behind us is counted all the way round. */
function distancesIn(size: number): number[] {
  if (size <= WATCHED_MAX + 1)
    return Array.from({ length: Math.max(0, size - 1) }, (_, at) => at + 1)
  const distances = new Set<number>()
  for (let step = 1; step <= size / 2; step *= 2) add(step)
  for (let step = 1; distances.size < WATCHED_MAX - 1; step++) add(step)
  return [...distances].toSorted((one, other) => one - other)

  function add(step: number): void {
    distances.add(step)
    distances.add(size - step)
  }
}
