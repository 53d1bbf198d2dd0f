/** An owner with a real volume and holders of it, on one network in memory, with a circle made up. */
import {
  createBlockExchange,
  fixedSizeChunks,
  createLocalReader
} from '../../../src/blocks/index.ts'
import type { BlockExchange, BlockId, BlockStore, Sealing } from '../../../src/blocks/index.ts'
import {
  createHeadExchange,
  createMemoryHeadStore,
  createNodeCache,
  createVolumeId,
  openLocalVolume
} from '../../../src/namespace/index.ts'
import type {
  HeadExchange,
  HeadStore,
  InodeNumber,
  LocalVolume,
  VolumeId
} from '../../../src/namespace/index.ts'
import { signHead } from '../../../src/namespace/heads/head-record.ts'
import { createMemoryNetwork, createSigningKey } from '../../../src/peer/index.ts'
import type { Clock, MemoryNetwork, Peer, PeerId, SigningKey } from '../../../src/peer/index.ts'
import {
  createPlacement,
  encodeHolderList,
  openHeldVolume
} from '../../../src/replication/index.ts'
import type {
  HeldVersion,
  HeldVolume,
  HeldVolumeOptions,
  Holder,
  HolderListFields,
  HolderList,
  HolderReport,
  Policy
} from '../../../src/replication/index.ts'
import { createRandom } from '../replicas-fixtures.ts'
import { Circles } from './circles.ts'
import { createCountedStore } from './counted-store.ts'
import type { CountedStore } from './counted-store.ts'

export const ONE_COPY: Policy = { replicas: 1, minimum: 1, on: [] }
export const TWO_COPIES: Policy = { replicas: 2, minimum: 1, on: [] }
export const EVERYBODY: Policy = { replicas: 'all', minimum: 1, on: [] }

export const BLOCK_BYTES: number = 16 * 1024

/** Real time, and how many timers wait. */
export class CountingClock implements Clock {
  readonly #timers = new Set<NodeJS.Timeout>()

  now(): number {
    return Date.now()
  }

  after(ms: number, callback: () => void): () => void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      callback()
    }, ms)
    this.#timers.add(timer)
    return () => {
      clearTimeout(timer)
      this.#timers.delete(timer)
    }
  }

  get waiting(): number {
    return this.#timers.size
  }
}

export interface Member {
  readonly name: string
  readonly key: SigningKey
  readonly peer: Peer
  readonly store: CountedStore
  readonly exchange: BlockExchange
  readonly headStore: HeadStore
  readonly heads: HeadExchange
  readonly clock: CountingClock
}

export interface HolderMember extends Member {
  readonly held: HeldVolume
  /** What `hold` was called with. */
  readonly holds: HeldVersion[]
  readonly repaired: { blocks: number; bytes: number }[]
  readonly lost: BlockId[]
  /** Ids that others asked whether they are here. */
  asked: number
}

export class Cluster {
  readonly network: MemoryNetwork
  readonly circles: Circles = new Circles()
  readonly owner: Member
  readonly volume: LocalVolume
  readonly holders: HolderMember[] = []
  readonly #key: SigningKey
  readonly #alive = setInterval(() => {}, 1000)
  #sequence = 0

  constructor(owner: Member, volume: LocalVolume, key: SigningKey, network: MemoryNetwork) {
    this.owner = owner
    this.volume = volume
    this.#key = key
    this.network = network
  }

  static async create(options: { readonly sealing?: Sealing } = {}): Promise<Cluster> {
    const network = createMemoryNetwork({ random: createRandom(7) })
    const key = await createSigningKey()
    const headStore = createMemoryHeadStore()
    const owner = await createMember(network, { name: 'owner', headStore, key })
    const volume = await openLocalVolume(
      {
        key,
        store: owner.store,
        reader: createLocalReader(owner.store),
        heads: headStore,
        cache: createNodeCache(),
        clock: owner.clock,
        chunker: fixedSizeChunks(BLOCK_BYTES),
        sealing: options.sealing,
        announce: head => owner.heads.announce(head)
      },
      { commitDelayMs: 1, retentionMs: 1e9 }
    )
    return new Cluster(owner, volume, key, network)
  }

  get id(): VolumeId {
    return createVolumeId(this.#key.publicKey)
  }

  /** A peer that holds the volume as soon as the list names it. */
  async addHolder(
    name: string,
    options: HeldVolumeOptions & {
      readonly store?: CountedStore
      readonly key?: SigningKey
    } = {}
  ): Promise<HolderMember> {
    const { store = createCountedStore(), key, ...heldOptions } = options
    const member = await createMember(this.network, { name, store, key })
    await member.peer.dial(this.owner.peer.addresses()[0]!)
    for (const other of this.holders) {
      if (this.circles.presenceOf(other.peer.id) === 'present') {
        await member.peer.dial(other.peer.addresses()[0]!).catch(() => {})
      }
    }
    const holds: HeldVersion[] = []
    const held = await openHeldVolume(
      {
        self: member.peer.id,
        owner: this.owner.peer.id,
        volume: this.id,
        circle: this.circles.of(this.id, member.peer.id),
        heads: member.heads,
        exchange: member.exchange,
        store,
        clock: member.clock,
        random: createRandom(3),
        askHas: (holder, _volume, ids, { signal }) => this.#has(holder, ids, signal),
        hold: async ({ sequence, root }) => void holds.push({ sequence, root })
      },
      heldOptions
    )
    const holder: HolderMember = {
      ...member,
      held,
      holds,
      repaired: [],
      lost: [],
      asked: 0
    }
    held.events.addEventListener('repaired', ({ detail }) => holder.repaired.push(detail))
    held.events.addEventListener('lost', ({ detail }) => holder.lost.push(...detail.ids))
    this.holders.push(holder)
    return holder
  }

  /** Signs a list with the owner and these holders, or all. The owner's report is always perfect. */
  async list(
    fields: Partial<HolderListFields> & { readonly of?: readonly HolderMember[] } = {}
  ): Promise<HolderList> {
    const { of = this.holders, ...rest } = fields
    const list = await encodeHolderList(this.#key, {
      sequence: ++this.#sequence,
      policy: TWO_COPIES,
      overrides: new Map(),
      holders: [holderOf(this.owner), ...of.map(member => holderOf(member))],
      ...rest
    })
    this.circles.reports.set(this.owner.peer.id, {
      volume: this.id,
      progress: 'current',
      listSequence: list.sequence,
      holds: 1e9,
      knows: 1e9,
      gone: [],
      shares: new Map(),
      share: 256,
      missingBlocks: 0,
      usedBytes: 0,
      pledgeBytes: 1e12
    })
    this.circles.tell(list)
    return list
  }

  /** Writes files that have nothing in common; each has so many blocks. Returns their inode numbers. */
  async write(
    names: readonly string[],
    options: { readonly blocks: number; readonly directory?: InodeNumber; readonly seed?: number }
  ): Promise<InodeNumber[]> {
    const { blocks, directory = 1 as InodeNumber, seed = 1 } = options
    const inodes: InodeNumber[] = []
    for (const name of names) {
      const content = noise(blocks * BLOCK_BYTES, `${seed} ${name}`)
      const stored = this.volume.storeExtents([content], { offset: 0 })
      try {
        const extents = (await all(stored)).flat()
        await this.volume.update(async transaction => {
          const inode = await transaction.create(directory, name, { type: 'file', mode: 0o644 })
          await transaction.setExtents(inode.number, {
            from: 0,
            to: content.length,
            extents,
            size: content.length
          })
          inodes.push(inode.number)
        })
      } finally {
        stored.done()
      }
    }
    await this.volume.sync()
    return inodes
  }

  /** Signs a head with any root, and passes it on. */
  async publish(root: BlockId, sequence = 1000): Promise<void> {
    const fields = { volume: this.id, sequence, root, timeMs: Date.now() }
    const head = await signHead(this.#key, fields)
    await this.owner.headStore.compareAndSet(
      (await this.owner.headStore.get(this.id))?.sequence,
      head
    )
    this.owner.heads.announce(head)
  }

  async makeDirectory(name: string): Promise<InodeNumber> {
    const inode = await this.volume.update(transaction =>
      transaction.create(1 as InodeNumber, name, { type: 'directory', mode: 0o755 })
    )
    await this.volume.sync()
    return inode.number
  }

  /** Ids of everything in the newest version. */
  async reachable(): Promise<Set<BlockId>> {
    const { tree } = await this.volume.snapshot()
    return new Set((await all(tree.reachable())).flat())
  }

  /** The data of a file. */
  async blocksOf(number: InodeNumber): Promise<BlockId[]> {
    const snapshot = await this.volume.snapshot()
    const content = await snapshot.content((await snapshot.inode(number))!)
    if ('inline' in content) return []
    return (await all(content.extents)).flat().map(({ block }) => block)
  }

  /** What a holder should have of the newest version, by one policy, with these holders counted. */
  async partOf(member: Member, policy: Policy = TWO_COPIES): Promise<Set<BlockId>> {
    const placement = createPlacement({ holders: this.circles.counted() })
    const assignment = placement.assignmentOf(member.peer.id, policy)
    const ids = [...(await this.reachable())]
    return new Set(ids.filter(id => id.startsWith('bafy') || assignment.has(id)))
  }

  /** Resolves when a holder says that it is so far, at the newest version. */
  async until(
    holder: HolderMember,
    progress: HolderReport['progress'] = 'current',
    accept: (report: HolderReport) => boolean = () => true
  ): Promise<HolderReport> {
    const isThere = (report: HolderReport): boolean => {
      const isNewest = report.knows >= (this.volume.head?.sequence ?? -1)
      const isByList = progress !== 'current' || report.listSequence === this.circles.list?.sequence
      return report.progress === progress && isNewest && isByList && accept(report)
    }
    return await waitFor(
      () => holder.held.report,
      isThere,
      () => `${holder.name} says ${JSON.stringify(holder.held.report)}`
    )
  }

  /** Its connections end, and everybody knows that it is gone. */
  leave(holder: Member): void {
    for (const { peer } of [this.owner, ...this.holders]) {
      if (peer !== holder.peer) this.network.cut(peer.id, holder.peer.id)
    }
    this.circles.setPresence(holder.peer.id, 'gone')
  }

  async return(holder: Member): Promise<void> {
    for (const { peer } of [this.owner, ...this.holders]) {
      if (peer === holder.peer) continue
      this.network.mend(peer.id, holder.peer.id)
      await holder.peer.dial(peer.addresses()[0]!).catch(() => {})
    }
    this.circles.setPresence(holder.peer.id, 'present')
  }

  async stop(holder: HolderMember): Promise<void> {
    await holder.held.close()
    await holder.exchange.stop()
    await holder.heads.stop()
    await holder.peer.stop()
    this.holders.splice(this.holders.indexOf(holder), 1)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const holder of this.holders.toReversed()) await this.stop(holder)
    await this.volume.close()
    await this.owner.exchange.stop()
    await this.owner.heads.stop()
    await this.owner.peer.stop()
    clearInterval(this.#alive)
  }

  async #has(holder: PeerId, ids: readonly BlockId[], signal: AbortSignal): Promise<boolean[]> {
    signal.throwIfAborted()
    if (this.circles.presenceOf(holder) !== 'present') throw new Error('it is not there')
    if (holder === this.owner.peer.id) {
      return await Promise.all(ids.map(id => this.owner.store.has(id)))
    }
    const member = this.holders.find(({ peer }) => peer.id === holder)!
    member.asked += ids.length
    return ids.map(id => member.held.has(id))
  }
}

async function createMember(
  network: MemoryNetwork,
  options: {
    readonly name: string
    readonly headStore?: HeadStore
    readonly store?: CountedStore
    readonly key?: SigningKey | undefined
  }
): Promise<Member> {
  const { name, headStore = createMemoryHeadStore(), store = createCountedStore() } = options
  const key = options.key ?? (await createSigningKey())
  const clock = new CountingClock()
  const peer = network.createPeer({ discovery: false, key })
  await peer.start()
  const exchange = createBlockExchange({ peer, store }, { clock })
  await exchange.start()
  const policy = { mayRead: () => true, offers: () => [] }
  const heads = createHeadExchange({ peer, heads: headStore, clock, policy }, { graceMs: 20 })
  await heads.start()
  return { name, key, peer, store, exchange, headStore, heads, clock }
}

export function holderOf({ peer }: Pick<Member, 'peer'>, fields: Partial<Holder> = {}): Holder {
  return { peer: peer.id, pledgeBytes: 1e9, zone: '', state: 'active', ...fields }
}

/** Bytes that no compression makes smaller, the same for the same seed. */
export function noise(length: number, seed: string): Uint8Array {
  let state = 0
  for (const char of seed) state = (Math.imul(state, 31) + char.charCodeAt(0)) | 0
  const random = createRandom(state)
  const words = Uint32Array.from({ length: Math.ceil(length / 4) }, () => random() * 2 ** 32)
  return new Uint8Array(words.buffer).subarray(0, length)
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = []
  for await (const item of items) found.push(item)
  return found
}

/** Guards against hanging. */
const WAIT_MS_MAX = 60_000

export async function waitFor<Value>(
  read: () => Value,
  accept: (value: Value) => boolean,
  describe: () => string
): Promise<Value> {
  const endMs = Date.now() + WAIT_MS_MAX
  for (;;) {
    const value = read()
    if (accept(value)) return value
    if (Date.now() > endMs) throw new Error(`waited in vain: ${describe()}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

export async function idsIn(store: BlockStore): Promise<Set<BlockId>> {
  return new Set(await all(store.ids()))
}
