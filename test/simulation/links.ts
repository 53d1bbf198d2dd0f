/** The faults of the simulated network, and what each link is like without them. */
import type { MemoryNetwork, PeerId } from '../../src/peer/index.ts'
import type { SeededRandom } from './seeded-random.ts'

export type LinkFault = 'none' | 'cut' | 'mute'

interface Link {
  readonly ends: readonly [PeerId, PeerId]
  fault: LinkFault
}

export class Links {
  readonly #network: MemoryNetwork
  readonly #random: SeededRandom
  readonly #links: Link[] = []
  readonly #asleep = new Set<PeerId>()

  constructor(network: MemoryNetwork, random: SeededRandom) {
    this.#network = network
    this.#random = random
  }

  add(peers: readonly PeerId[]): void {
    for (const [index, one] of peers.entries()) {
      for (const other of peers.slice(index + 1)) {
        this.#links.push({ ends: [one, other], fault: 'none' })
        this.#network.shape(one, other, this.#usual())
      }
    }
  }

  /** How many have a fault. */
  get broken(): number {
    return this.#links.filter(({ fault }) => fault !== 'none').length
  }

  breakOne(fault: LinkFault): void {
    const link = this.#random.pick(this.#links)
    if (link !== undefined) this.#set(link, fault)
  }

  /** Parts the peers in two that cannot reach each other. */
  part(fault: LinkFault): void {
    const sides = new Map<PeerId, boolean>()
    for (const { ends } of this.#links) {
      for (const end of ends) if (!sides.has(end)) sides.set(end, this.#random.chance(0.5))
      if (sides.get(ends[0]) === sides.get(ends[1])) continue
      this.#set(
        this.#links.find(link => link.ends === ends)!,
        fault
      )
    }
  }

  isolate(peer: PeerId, fault: LinkFault): void {
    for (const link of this.#links) if (link.ends.includes(peer)) this.#set(link, fault)
  }

  /** Connections over one link are lost, and can be made again at once. */
  reset(): void {
    const link = this.#random.pick(this.#links)
    if (link?.fault !== 'none' || link.ends.some(end => this.#asleep.has(end))) return
    this.#network.cut(...link.ends)
    this.#network.mend(...link.ends)
  }

  mendOne(): void {
    const broken = this.#random.pick(this.#links.filter(({ fault }) => fault !== 'none'))
    if (broken !== undefined) this.#set(broken, 'none')
  }

  mendAll(): void {
    for (const link of this.#links) {
      if (link.fault !== 'none') this.#set(link, 'none')
      this.#network.shape(...link.ends, this.#usual())
    }
  }

  /** A slow and lossy link: what is lost is sent again, so it shows as time. */
  slowDown(): void {
    const link = this.#random.pick(this.#links)
    if (link === undefined) return
    this.#network.shape(...link.ends, {
      delayMs: this.#random.between(50, 500),
      jitterMs: this.#random.between(0, 2_000),
      bytesPerSecond: this.#random.between(10_000, 100_000)
    })
  }

  speedUp(): void {
    const link = this.#random.pick(this.#links)
    if (link !== undefined) this.#network.shape(...link.ends, this.#usual())
  }

  /** A machine that sleeps neither sends nor hears anything. */
  sleep(peer: PeerId): void {
    this.#asleep.add(peer)
    for (const link of this.#links) if (link.ends.includes(peer)) this.#apply(link)
  }

  wake(peer: PeerId): void {
    this.#asleep.delete(peer)
    for (const link of this.#links) if (link.ends.includes(peer)) this.#apply(link)
  }

  #set(link: Link, fault: LinkFault): void {
    link.fault = fault
    this.#apply(link)
  }

  #apply({ ends, fault }: Link): void {
    if (fault === 'cut') this.#network.cut(...ends)
    else if (fault === 'mute' || ends.some(end => this.#asleep.has(end)))
      this.#network.mute(...ends)
    else this.#network.mend(...ends)
  }

  #usual(): { readonly delayMs: number; readonly jitterMs: number } {
    return { delayMs: this.#random.between(0, 15), jitterMs: this.#random.between(0, 3) }
  }
}
