/** Holders on one network in memory, made-up blocks, and holders that lie. */
import { createBlockId } from '../../src/blocks/index.ts'
import type { BlockId } from '../../src/blocks/index.ts'
import { isWarrenError } from '../../src/errors.ts'
import type { ErrorCode } from '../../src/errors.ts'
import { createMemoryNetwork } from '../../src/peer/index.ts'
import type { CallHandler, Clock, MemoryNetwork, Peer, PeerId } from '../../src/peer/index.ts'
import { REPLICAS_PROTOCOL, createReplicasHandler } from '../../src/replication/index.ts'

/** The network's own timers do not keep a test from ending. */
export const backgroundClock: Clock = {
  now: () => Date.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms).unref()
    return () => clearTimeout(timer)
  }
}

export class Holders {
  readonly network: MemoryNetwork
  readonly #peers: Peer[] = []
  /** While they stand the process lives, whatever it waits for. */
  readonly #alive = setInterval(() => {}, 1000)

  constructor(clock: Clock = backgroundClock) {
    this.network = createMemoryNetwork({ clock, random: createRandom(1) })
  }

  /** A started peer that knows all the others and serves these verbs. */
  async add(verbs: Record<string, CallHandler> = {}): Promise<Peer> {
    const peer = this.network.createPeer({ discovery: false })
    await peer.start()
    peer.serve(REPLICAS_PROTOCOL, createReplicasHandler(verbs))
    for (const other of this.#peers) {
      await peer.remember(other.id, other.addresses())
      await other.remember(peer.id, peer.addresses())
    }
    this.#peers.push(peer)
    return peer
  }

  async stop(): Promise<void> {
    clearInterval(this.#alive)
    for (const peer of this.#peers) await peer.stop()
  }
}

/** From 0 up to 1, the same for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function createRandomBytes(seed: number): (length: number) => Uint8Array {
  const random = createRandom(seed)
  return length => Uint8Array.from({ length }, () => random() * 256)
}

/** Ids of blocks that nobody made: one in eight of a tree node. */
export function makeIds(count: number, seed = 1): BlockId[] {
  const random = createRandom(seed)
  return Array.from({ length: count }, () => {
    const words = Uint32Array.from({ length: 8 }, () => random() * 2 ** 32)
    return createBlockId(random() < 1 / 8 ? 'dag-cbor' : 'raw', new Uint8Array(words.buffer))
  })
}

export function sorted(ids: Iterable<BlockId>): BlockId[] {
  return [...ids].sort()
}

/** The code a promise is rejected with; throws when it is not, or not with one of ours. */
export async function codeOf(promise: Promise<unknown>): Promise<ErrorCode> {
  try {
    await promise
  } catch (error) {
    if (isWarrenError(error)) return error.code
    throw error
  }
  throw new Error('nothing was thrown')
}

/** A peer that counts what it asks. */
export function counting(peer: Pick<Peer, 'call'>): Pick<Peer, 'call'> & { calls: number } {
  const counted = {
    calls: 0,
    call: (...args: Parameters<Peer['call']>) => {
      counted.calls++
      return peer.call(...args)
    }
  }
  return counted
}

/** Another peer, of which only the name matters. */
export const SOMEBODY = '12D3KooWSomebody' as PeerId
