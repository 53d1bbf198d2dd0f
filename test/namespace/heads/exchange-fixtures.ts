/** Peers that exchange heads over a network in memory. */
import type { Clock, MemoryNetwork, Peer, PeerId } from '../../../src/peer/index.ts'
import { systemClock } from '../../../src/peer/index.ts'
import { createHeadExchange } from '../../../src/namespace/heads/head-exchange.ts'
import type { Fork, HeadExchange } from '../../../src/namespace/heads/head-exchange.ts'
import type { Offer } from '../../../src/namespace/heads/head-messages.ts'
import type { HeadStore } from '../../../src/namespace/heads/head-store.ts'
import type { SignedHead, VolumeId } from '../../../src/namespace/heads/head.ts'
import { createMemoryHeadStore } from '../../../src/namespace/heads/memory-head-store.ts'

export interface Holder extends AsyncDisposable {
  readonly peer: Peer
  readonly heads: HeadStore
  readonly exchange: HeadExchange
  readonly forks: Fork[]
  /** Who may not read what. Empty at first. */
  readonly secrets: Set<VolumeId>
  readonly offers: Offer[]
  /** Puts a head of our own into the store and passes it on. */
  commit(head: SignedHead): Promise<void>
  sequence(volume: VolumeId): Promise<number | undefined>
}

export async function createHolder(
  network: MemoryNetwork,
  clock: Clock = systemClock
): Promise<Holder> {
  const peer = network.createPeer({ discovery: false })
  const heads = createMemoryHeadStore()
  const forks: Fork[] = []
  const secrets = new Set<VolumeId>()
  const offers: Offer[] = []
  const policy = {
    mayRead: (volume: VolumeId) => !secrets.has(volume),
    offers: (_from: PeerId) => offers
  }
  const exchange = createHeadExchange(
    { peer, heads, clock, policy },
    { random: () => 0.5, graceMs: 50 }
  )
  exchange.events.addEventListener('fork', event => forks.push(event.detail))
  await peer.start()
  await exchange.start()
  return {
    peer,
    heads,
    exchange,
    forks,
    secrets,
    offers,
    async commit(head) {
      const current = await heads.get(head.volume)
      await heads.compareAndSet(current?.sequence, head)
      exchange.announce(head)
    },
    sequence: async volume => (await heads.get(volume))?.sequence,
    async [Symbol.asyncDispose]() {
      await exchange.stop()
      await peer.stop()
    }
  }
}

export async function connect(one: Holder, other: Holder): Promise<void> {
  await one.peer.dial(other.peer.addresses()[0]!)
}

const HEARING_MS_MAX = 40_000

export interface Listening {
  /** Sequences in the order they were told. */
  readonly heard: number[]
  readonly stop: () => void
  /** Resolves when this sequence was told; rejects when that takes too long. */
  readonly hears: (sequence: number) => Promise<void>
}

export function listen(
  holder: Holder,
  volume: VolumeId,
  sources: readonly PeerId[] = []
): Listening {
  const heard: number[] = []
  const waits = new Map<number, () => void>()
  const stop = holder.exchange.follow(
    volume,
    head => {
      heard.push(head.sequence)
      waits.get(head.sequence)?.()
    },
    { sources }
  )
  const hears = async (sequence: number): Promise<void> => {
    if (heard.includes(sequence)) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    waits.set(sequence, resolve)
    const late = (): void => reject(new Error(`heard ${heard.join()}, not ${sequence}`))
    const timer = setTimeout(late, HEARING_MS_MAX)
    await promise
    clearTimeout(timer)
  }
  return { heard, stop, hears }
}
