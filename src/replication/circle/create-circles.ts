/** The circles of one peer: which volumes it has one of, and the verb `watch` for all of them. */
import { WarrenError } from '../../errors.ts'
import type { VolumeId } from '../../namespace/index.ts'
import type { CallHandler, Clock, Peer, PeerId } from '../../peer/index.ts'
import { Allowances } from '../allowances.ts'
import type { HolderListStore } from '../holders/holder-list-store.ts'
import { createAddressBook } from './address-book.ts'
import type { AddressesOf } from './address-book.ts'
import type { Circle, Circles, OpenCircleOptions } from './circle.ts'
import {
  ABSENT_MS,
  GRACE_MS,
  LISTS_BURST,
  LISTS_PER_SECOND,
  SIGN_OF_LIFE_MS,
  WATCHES_BURST,
  WATCHES_PER_SECOND
} from './circle-limits.ts'
import { OpenCircle } from './open-circle.ts'
import { decodeWatchRequest } from './watch-messages.ts'
import { WatchSlots } from './watch-slots.ts'

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
  readonly verbs: { readonly watch: CallHandler }
  readonly #components: CirclesComponents
  readonly #options: Required<CirclesOptions>
  readonly #addressesOf: AddressesOf
  readonly #slots = new WatchSlots()
  readonly #watches: Allowances
  readonly #lists: Allowances
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
    const { peer, clock } = components
    this.#components = components
    this.#options = { absentMs, graceMs, signOfLifeMs }
    this.#addressesOf = components.addressesOf ?? createAddressBook(peer, clock)
    this.#watches = new Allowances(clock, { burst: WATCHES_BURST, perSecond: WATCHES_PER_SECOND })
    this.#lists = new Allowances(clock, { burst: LISTS_BURST, perSecond: LISTS_PER_SECOND })
    this.verbs = { watch: (request, context) => this.#serve(request, context) }
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
    await Promise.all([...this.#open.values()].map(circle => circle.close()))
  }

  #create(volume: VolumeId, sources: readonly PeerId[]): OpenCircle {
    const { random = Math.random, ...components } = this.#components
    const circle = new OpenCircle(
      volume,
      {
        ...components,
        random,
        addressesOf: this.#addressesOf,
        slots: this.#slots,
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

  /** A volume that is unknown here and one that the caller does not hold look alike. */
  async *#serve(...[{ body }, context]: Parameters<CallHandler>): ReturnType<OpenCircle['serve']> {
    const request = decodeWatchRequest(body)
    const { from } = context
    if (!this.#watches.take(from, 1)) {
      throw new WarrenError('EBUSY', { message: `${from} watches too much` })
    }
    const circle = this.#open.get(request.volume)
    if (circle === undefined) {
      throw new WarrenError('EACCES', { message: `${from} does not hold ${request.volume}` })
    }
    yield* circle.serve(request, context, () => this.#lists.take(from, 1))
  }

  readonly #connected = ({ detail: peer }: CustomEvent<PeerId>): void => {
    for (const circle of this.#open.values()) circle.connected(peer)
  }

  #requireOpen(): void {
    if (this.#closed) throw new WarrenError('EBADF', { message: 'the circles are closed' })
  }
}
