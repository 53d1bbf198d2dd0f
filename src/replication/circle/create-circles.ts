/** The circles of one peer: which volumes it has one of, and what all of them have in common. */
import { WarrenError } from '../../errors.ts'
import type { VolumeId } from '../../namespace/index.ts'
import type { Clock, Peer, PeerId } from '../../peer/index.ts'
import type { HolderListStore } from '../holders/holder-list-store.ts'
import { createAddressBook } from './address-book.ts'
import type { AddressesOf } from './address-book.ts'
import type { Circle, Circles, OpenCircleOptions } from './circle.ts'
import { ABSENT_MS, GRACE_MS, SIGN_OF_LIFE_MS } from './circle-limits.ts'
import { Lines } from './lines.ts'
import { OpenCircle } from './open-circle.ts'
import { WatchServer } from './serve-watch.ts'

export interface CirclesComponents {
  readonly peer: Pick<Peer, 'id' | 'addresses' | 'known' | 'call' | 'remember' | 'events'>
  readonly clock: Clock
  readonly lists: Pick<HolderListStore, 'get' | 'put'>
  /** From 0 up to 1. Default `Math.random`. */
  readonly random?: () => number
  /** Addresses that are passed on of a peer, ourselves included. Default: what the peer knows. */
  readonly addressesOf?: AddressesOf
}

export interface CirclesOptions {
  /** Silence, in milliseconds, after which a holder is absent. Default `ABSENT_MS`. */
  readonly absentMs?: number
  /** And after which it is gone, and its copies are made elsewhere. Default `GRACE_MS`. */
  readonly graceMs?: number
  /** How often holders that have nothing to say are heard; all holders should have about the same. Default `SIGN_OF_LIFE_MS`. */
  readonly signOfLifeMs?: number
}

/** Throws `EINVAL` unless 0 < `signOfLifeMs` < `absentMs` < `graceMs`. */
export function createCircles(
  components: CirclesComponents,
  options: CirclesOptions = {}
): Circles {
  return new PeerCircles(components, options)
}

class PeerCircles implements Circles {
  readonly verbs: Circles['verbs']
  readonly #components: Required<CirclesComponents>
  readonly #options: Required<CirclesOptions>
  readonly #lines: Lines
  readonly #server: WatchServer
  /** Those that are being opened, too. */
  readonly #opening = new Set<VolumeId>()
  readonly #open = new Map<VolumeId, OpenCircle>()
  #closed = false

  constructor(components: CirclesComponents, options: CirclesOptions) {
    const { absentMs = ABSENT_MS, graceMs = GRACE_MS, signOfLifeMs = SIGN_OF_LIFE_MS } = options
    if (!(0 < signOfLifeMs && signOfLifeMs < absentMs && absentMs < graceMs)) {
      const numbers = `${signOfLifeMs}, ${absentMs}, ${graceMs}`
      throw new WarrenError('EINVAL', { message: `sign of life, absence and grace: ${numbers}` })
    }
    const { peer, clock, random = Math.random } = components
    const { addressesOf = createAddressBook(peer, clock) } = components
    this.#components = { ...components, random, addressesOf }
    this.#options = { absentMs, graceMs, signOfLifeMs }
    this.#lines = new Lines({ peer, clock, random, signOfLifeMs })
    this.#server = new WatchServer({
      clock,
      signOfLifeMs,
      circleOf: volume => this.#open.get(volume)
    })
    this.verbs = this.#server.verbs
    peer.events.addEventListener('connect', this.#connected)
  }

  async open(volume: VolumeId, { sources = [] }: OpenCircleOptions = {}): Promise<Circle> {
    this.#requireOpen()
    if (this.#opening.has(volume))
      throw new WarrenError('EEXIST', { message: `circle of ${volume}` })
    this.#opening.add(volume)
    try {
      const list = await this.#components.lists.get(volume)
      this.#requireOpen()
      const circle = this.#create(volume, sources)
      circle.begin(list)
      return circle
    } catch (error) {
      this.#opening.delete(volume)
      throw error
    }
  }

  get(volume: VolumeId): Circle | undefined {
    return this.#open.get(volume)
  }

  isHolder(volume: VolumeId, peer: PeerId): boolean {
    return this.#open.get(volume)?.names(peer) === true
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#components.peer.events.removeEventListener('connect', this.#connected)
    this.#server.close()
    const lost = this.#lines.close()
    await Promise.all([...this.#open.values()].map(circle => circle.close()))
    await lost
  }

  #create(volume: VolumeId, sources: readonly PeerId[]): OpenCircle {
    const circle = new OpenCircle(
      volume,
      {
        ...this.#components,
        lines: this.#lines,
        closed: () => {
          this.#open.delete(volume)
          this.#opening.delete(volume)
        }
      },
      { ...this.#options, sources }
    )
    this.#open.set(volume, circle)
    return circle
  }

  readonly #connected = ({ detail: peer }: CustomEvent<PeerId>): void => {
    for (const circle of this.#open.values()) circle.connected(peer)
  }

  #requireOpen(): void {
    if (this.#closed) throw new WarrenError('EBADF', { message: 'the circles are closed' })
  }
}
