/** Holders of one volume on a network in memory, whose time is moved by hand. */
import { setImmediate as turn } from 'node:timers/promises'
import type { CallHandler, MemoryNetwork, Peer, PeerId } from '../../../src/peer/index.ts'
import { createMemoryNetwork } from '../../../src/peer/index.ts'
import {
  REPLICAS_PROTOCOL,
  createCircles,
  createMemoryHolderListStore,
  createReplicasHandler
} from '../../../src/replication/index.ts'
import type {
  Circle,
  Circles,
  CirclesOptions,
  Holder,
  HolderList,
  HolderListStore,
  HolderReport
} from '../../../src/replication/index.ts'
import { createListOwner, holderFor } from '../fixtures.ts'
import type { ListOwner } from '../fixtures.ts'
import { createRandom } from '../replicas-fixtures.ts'
import { createSteppingClock } from './stepping-clock.ts'
import type { SteppingClock } from './stepping-clock.ts'

export interface Member {
  readonly peer: Peer
  readonly lists: HolderListStore
  readonly circles: Circles
  readonly circle: Circle
  /** What happened in its circle, in words. */
  readonly happened: string[]
}

export class Members {
  readonly clock: SteppingClock = createSteppingClock()
  readonly random: () => number = createRandom(1)
  readonly network: MemoryNetwork = createMemoryNetwork({ clock: this.clock, random: this.random })
  readonly owner: ListOwner
  readonly #options: CirclesOptions
  readonly #members: Member[] = []
  readonly #peers: Peer[] = []
  #sequence = 0

  constructor(owner: ListOwner, options: CirclesOptions) {
    this.owner = owner
    this.#options = options
  }

  static async create(options: CirclesOptions = {}): Promise<Members> {
    return new Members(await createListOwner(), options)
  }

  /** A started peer without a circle, which serves these verbs. */
  async addPeer(verbs: Record<string, CallHandler> = {}): Promise<Peer> {
    const peer = this.network.createPeer({ discovery: false })
    await peer.start()
    peer.serve(REPLICAS_PROTOCOL, createReplicasHandler(verbs))
    this.#peers.push(peer)
    return peer
  }

  /** A peer with a circle that knows nothing but where to ask. */
  async add(sources: readonly Peer[] = []): Promise<Member> {
    const verbs: Record<string, CallHandler> = {}
    const peer = await this.addPeer(verbs)
    for (const source of sources) await peer.remember(source.id, source.addresses())
    return await this.open(peer, verbs, sources)
  }

  async open(
    peer: Peer,
    verbs: Record<string, CallHandler>,
    sources: readonly Peer[] = []
  ): Promise<Member> {
    const lists = createMemoryHolderListStore()
    const circles = createCircles(
      { peer, clock: this.clock, random: this.random, lists },
      this.#options
    )
    Object.assign(verbs, circles.verbs)
    const circle = await circles.open(this.owner.volume, { sources: sources.map(({ id }) => id) })
    const member = { peer, lists, circles, circle, happened: record(circle) }
    this.#members.push(member)
    return member
  }

  /** An owner and others who know only the owner, in a circle of which all have the list. */
  async addCircle(count: number): Promise<Member[]> {
    const alice = await this.add()
    const members = [alice]
    while (members.length < count) members.push(await this.add([alice.peer]))
    const list = await this.sign(members)
    for (const { circle } of members) {
      await circle.learn(list)
      circle.publish(reportFor(circle))
    }
    await this.until(() => members.every(one => hears(one, members)), 60_000)
    for (const { happened } of members) happened.length = 0
    return members
  }

  /** A newer list than any before that names these. */
  async sign(members: readonly Pick<Member, 'peer'>[]): Promise<HolderList> {
    return await this.owner.sign({
      sequence: ++this.#sequence,
      holders: members.map(({ peer }): Holder => holderFor(0, { peer: peer.id }))
    })
  }

  /** Moves time until something holds; throws when it did not within so long. */
  async until(condition: () => boolean, withinMs = 1000, stepMs = 100): Promise<void> {
    for (let passedMs = 0; ; passedMs += stepMs) {
      if (await this.#settles(condition)) return
      if (passedMs >= withinMs) throw new Error(`not within ${withinMs} ms: ${String(condition)}`)
      await this.clock.advance(stepMs)
    }
  }

  async stop(): Promise<void> {
    for (const { circles } of this.#members) await circles.close()
    for (const peer of this.#peers) await peer.stop()
  }

  /** Signatures are verified in another thread, whose time is nobody's. */
  async #settles(condition: () => boolean): Promise<boolean> {
    for (let turns = 0; turns < 50; turns++) {
      if (condition()) return true
      await turn()
    }
    return condition()
  }
}

/** Said by a holder; what is not given is nothing. */
export function reportFor(
  { volume }: Pick<Circle, 'volume'>,
  fields: Partial<HolderReport> = {}
): HolderReport {
  return {
    volume,
    progress: 'current',
    listSequence: 1,
    holds: 3,
    knows: 3,
    gone: [],
    shares: new Map(),
    share: 256,
    missingBlocks: 0,
    usedBytes: 0,
    pledgeBytes: 1e9,
    ...fields
  }
}

/** Whether one has heard something of all others. */
function hears({ circle }: Member, members: readonly Member[]): boolean {
  return members.every(other => circle.reportOf(other.peer.id) !== undefined)
}

function record(circle: Circle): string[] {
  const happened: string[] = []
  circle.events.addEventListener('list', ({ detail }) => happened.push(`list ${detail.sequence}`))
  circle.events.addEventListener('report', ({ detail }) => happened.push(`report ${detail}`))
  circle.events.addEventListener('presence', ({ detail: { holder, presence } }) => {
    happened.push(`${presence} ${holder}`)
  })
  return happened
}

export function ids(members: readonly Member[]): PeerId[] {
  return members.map(({ peer }) => peer.id)
}
