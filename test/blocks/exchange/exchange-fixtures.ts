/** Peers with stores and exchanges on one network in memory, and peers that lie. */
import { createMemoryBlockStore } from '../../../src/blocks/memory-block-store.ts'
import type { BlockStore } from '../../../src/blocks/block-store.ts'
import { createBlock } from '../../../src/blocks/block.ts'
import type { Block } from '../../../src/blocks/block.ts'
import { blockIdToBytes } from '../../../src/blocks/block-id.ts'
import type { BlockId } from '../../../src/blocks/block-id.ts'
import { createBlockExchange } from '../../../src/blocks/exchange/index.ts'
import type { BlockExchange, BlockExchangeOptions } from '../../../src/blocks/exchange/index.ts'
import { createMemoryNetwork } from '../../../src/peer/index.ts'
import type {
  CallHandler,
  Clock,
  LinkShape,
  MemoryNetwork,
  Peer,
  PeerId
} from '../../../src/peer/index.ts'
import { BLOCKS_PROTOCOL } from '../../../src/blocks/exchange/messages.ts'

export interface Neighbour {
  readonly peer: Peer
  readonly store: BlockStore
  readonly exchange: BlockExchange
  readonly id: PeerId
}

/** The network's own timers, of heartbeats say, do not keep a test from ending. */
const backgroundClock: Clock = {
  now: () => Date.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms).unref()
    return () => clearTimeout(timer)
  }
}

export class Neighbourhood {
  readonly network: MemoryNetwork
  readonly #clock: Clock | undefined
  readonly #stops: (() => Promise<void>)[] = []
  /** While the neighbourhood stands the process lives, whatever it waits for. */
  readonly #alive = setInterval(() => {}, 1000)

  /** With a clock everything goes by it. By default what is sent arrives at once. */
  constructor(clock?: Clock, link: LinkShape = {}) {
    this.#clock = clock
    const random = createRandom(1)
    this.network = createMemoryNetwork({ clock: clock ?? backgroundClock, random, link })
  }

  /** A peer that serves and fetches, connected to nobody. */
  async add(blocks: readonly Block[] = [], options: BlockExchangeOptions = {}): Promise<Neighbour> {
    const store = createMemoryBlockStore()
    await store.putMany(blocks)
    return this.addWith(store, options)
  }

  async addWith(store: BlockStore, options: BlockExchangeOptions = {}): Promise<Neighbour> {
    const peer = this.network.createPeer({ discovery: false })
    await peer.start()
    const clock = this.#clock
    const exchange = createBlockExchange(
      { peer, store },
      clock === undefined ? options : { clock, ...options }
    )
    await exchange.start()
    this.#stops.push(async () => {
      await exchange.stop()
      await peer.stop()
    })
    return { peer, store, exchange, id: peer.id }
  }

  /** A peer that answers wants in its own way. */
  async addLiar(handler: CallHandler): Promise<Peer> {
    const peer = this.network.createPeer({ discovery: false })
    await peer.start()
    peer.serve(BLOCKS_PROTOCOL, handler)
    this.#stops.push(() => peer.stop())
    return peer
  }

  /** Each of these can reach each other; nobody is connected yet. */
  async introduce(...peers: readonly Peer[]): Promise<void> {
    for (const one of peers) {
      for (const other of peers) {
        if (one !== other) await one.remember(other.id, other.addresses())
      }
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#alive)
    for (const stop of this.#stops) await stop()
  }
}

/** Blocks of random bytes; the same for the same seed. */
export async function makeBlocks(count: number, bytes: number, seed = 1): Promise<Block[]> {
  const random = createRandom(seed)
  return Promise.all(
    Array.from({ length: count }, () => {
      const content = new Uint8Array(bytes)
      const words = new Uint32Array(content.buffer, 0, bytes >> 2)
      for (let i = 0; i < words.length; i++) words[i] = random() * 2 ** 32
      if (bytes < 4) content.fill(random() * 256)
      return createBlock('raw', content)
    })
  )
}

/** A tree node of our format, around links and a little content. */
export async function makeNode(links: readonly BlockId[], body: number): Promise<Block> {
  return createBlock('dag-cbor', encodeNode(links, body))
}

export function encodeNode(links: readonly BlockId[], body: number): Uint8Array {
  const count = links.length
  let head = [0x83, 1, 0x99, count >> 8, count & 255]
  if (count < 24) head = [0x83, 1, 0x80 | count]
  else if (count < 0x100) head = [0x83, 1, 0x98, count]
  const bytes = new Uint8Array(head.length + 41 * count + 5)
  bytes.set(head)
  let at = head.length
  for (const link of links) {
    bytes.set([0xd8, 0x2a, 0x58, 0x25, 0], at)
    bytes.set(blockIdToBytes(link), at + 5)
    at += 41
  }
  bytes[at] = 0x1a
  new DataView(bytes.buffer).setUint32(at + 1, body)
  return bytes
}

/** Numbers from 0 up to 1, the same for the same seed. Source: mulberry32. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = []
  for await (const item of items) collected.push(item)
  return collected
}
