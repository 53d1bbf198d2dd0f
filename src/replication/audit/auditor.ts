/**
 * The half of audits that asks: challenges a holder about some of the blocks that it should have,
 * each at a random place, and checks the answers against our own copy, or against an answer that
 * was prepared while we had one.
 *
 * A holder that lacks the share f of its blocks passes an audit of k random ones with probability
 * (1 - f)^k; the method is the sampling of Ateniese et al.: Provable Data Possession at Untrusted
 * Stores, 2007, https://eprint.iacr.org/2007/202, with plain hashes in place of homomorphic tags,
 * because our auditors have the blocks.
 */
import type { Block, BlockId, BlockStore } from '../../blocks/index.ts'
import { WarrenError, isWarrenError } from '../../errors.ts'
import type { Clock, Peer, PeerId } from '../../peer/index.ts'
import { randomBytesFromPlatform } from '../random-bytes.ts'
import type { RandomBytes } from '../random-bytes.ts'
import { REPLICAS_PROTOCOL } from '../replicas-protocol.ts'
import {
  AUDIT_CHALLENGES_MAX,
  AUDIT_MS_MAX,
  AUDIT_RANGE_BYTES,
  AUDIT_READS_AT_ONCE,
  NONCE_BYTES
} from './audit-limits.ts'
import { decodeAuditAnswer, encodeAuditRequest, proveRange } from './audit-messages.ts'
import type { Challenge, Proof } from './audit-messages.ts'
import { PreparedChallenges } from './prepared-challenges.ts'
import type { ExpectedProof } from './prepared-challenges.ts'

export interface AuditorComponents {
  readonly peer: Pick<Peer, 'call' | 'prepare'>
  /** Our own blocks: what the answers are checked against. */
  readonly store: Pick<BlockStore, 'get'>
  readonly clock: Pick<Clock, 'now'>
  /** From 0 up to 1: where ranges lie. Default `Math.random`. */
  readonly random?: () => number
  /** Must not be guessable; a simulation passes its own. Default: from the platform. */
  readonly randomBytes?: RandomBytes
}

export interface AuditOptions {
  readonly signal?: AbortSignal
  /** How long the holder may take for each 256 challenges, in milliseconds. Default `AUDIT_MS_MAX`. */
  readonly timeoutMs?: number
}

/** What became of each block that was asked about: it is in exactly one of the lists. */
export interface AuditReport {
  readonly proven: readonly BlockId[]
  /** The holder admits that it does not have these. */
  readonly missing: readonly BlockId[]
  /** The holder claims these and gave a wrong answer, or none that can be one: it lies or is broken. */
  readonly wrong: readonly BlockId[]
  /** No answer within the deadline, or an error: nothing is known. */
  readonly silent: readonly BlockId[]
  /** Not asked about: neither have we the block nor is anything prepared. */
  readonly unchecked: readonly BlockId[]
  /** Whether there was a way to the holder, or nothing to ask it. If not, its silence says nothing of it. */
  readonly reached: boolean
  /** How long the slowest answer took, in milliseconds; `undefined` when there was none. */
  readonly slowestMs: number | undefined
}

export interface Auditor {
  /**
   * Asks a holder about these blocks, which the caller chose at random from what it should have.
   * Rejects only with the signal's reason or with what our own store throws.
   */
  audit(holder: PeerId, ids: Iterable<BlockId>, options?: AuditOptions): Promise<AuditReport>
  /** Makes a challenge for later about each of these blocks, while they are at hand. */
  prepare(holder: PeerId, blocks: readonly Block[]): Promise<void>
  /** Blocks that this holder can be audited about once although we do not have them. */
  prepared(holder: PeerId): BlockId[]
}

export function createAuditor(components: AuditorComponents): Auditor {
  return new PeerAuditor(components)
}

type Outcome = 'proven' | 'missing' | 'wrong' | 'silent'

class PeerAuditor implements Auditor {
  readonly #peer: Pick<Peer, 'call' | 'prepare'>
  readonly #store: Pick<BlockStore, 'get'>
  readonly #clock: Pick<Clock, 'now'>
  readonly #random: () => number
  readonly #randomBytes: RandomBytes
  readonly #prepared = new PreparedChallenges()

  constructor(components: AuditorComponents) {
    this.#peer = components.peer
    this.#store = components.store
    this.#clock = components.clock
    this.#random = components.random ?? Math.random
    this.#randomBytes = components.randomBytes ?? randomBytesFromPlatform
  }

  async audit(
    holder: PeerId,
    ids: Iterable<BlockId>,
    options: AuditOptions = {}
  ): Promise<AuditReport> {
    const wanted = [...new Set(ids)]
    const outcomes = { proven: [], missing: [], wrong: [], silent: [] } as Record<
      Outcome,
      BlockId[]
    >
    const unchecked: BlockId[] = []
    let reached = true
    let slowestMs: number | undefined
    for (let start = 0; start < wanted.length; start += AUDIT_CHALLENGES_MAX) {
      const some = wanted.slice(start, start + AUDIT_CHALLENGES_MAX)
      const expected = await this.#expect(holder, some, options)
      const asked = new Set(expected.map(({ challenge }) => challenge.id))
      unchecked.push(...some.filter(id => !asked.has(id)))
      if (expected.length === 0) continue
      reached = await this.#reach(holder)
      options.signal?.throwIfAborted()
      if (!reached) {
        outcomes.silent.push(...asked)
        continue
      }
      const began = this.#clock.now()
      const judged = await this.#challenge(holder, expected, options)
      expected.forEach(({ challenge }, index) => outcomes[judged[index]!].push(challenge.id))
      if (judged.includes('silent')) continue
      slowestMs = Math.max(slowestMs ?? 0, this.#clock.now() - began)
    }
    return { ...outcomes, unchecked, reached, slowestMs }
  }

  async prepare(holder: PeerId, blocks: readonly Block[]): Promise<void> {
    for (const block of blocks) {
      this.#prepared.keep(holder, await this.#expectedProof(holder, block))
    }
  }

  prepared(holder: PeerId): BlockId[] {
    return this.#prepared.ids(holder)
  }

  /** Challenges about these blocks, as far as we can know the answers. */
  async #expect(
    holder: PeerId,
    ids: readonly BlockId[],
    { signal }: AuditOptions
  ): Promise<ExpectedProof[]> {
    const expected: (ExpectedProof | undefined)[] = []
    for (let start = 0; start < ids.length; start += AUDIT_READS_AT_ONCE) {
      signal?.throwIfAborted()
      const some = ids.slice(start, start + AUDIT_READS_AT_ONCE).map(async id => {
        const bytes = await this.#store.get(id, signal === undefined ? {} : { signal })
        if (bytes === undefined) return this.#prepared.take(holder, id)
        return this.#expectedProof(holder, { id, bytes })
      })
      expected.push(...(await Promise.all(some)))
    }
    return expected.filter(proof => proof !== undefined)
  }

  async #expectedProof(holder: PeerId, { id, bytes }: Block): Promise<ExpectedProof> {
    const challenge = {
      id,
      ...this.#chooseRange(bytes.length),
      nonce: this.#randomBytes(NONCE_BYTES)
    }
    const expected = await proveRange(holder, bytes, challenge)
    if (expected === undefined) throw new RangeError(`a range outside of block ${id}`)
    return { challenge, expected }
  }

  /** Around a random byte, so that the ends of a block are asked about as often as its middle. */
  #chooseRange(size: number): Pick<Challenge, 'offset' | 'length'> {
    const length = Math.min(size, AUDIT_RANGE_BYTES)
    const middle = Math.floor(this.#random() * size)
    const offset = Math.max(0, Math.min(size - length, middle - (length >> 1)))
    return { offset, length }
  }

  async #reach(holder: PeerId): Promise<boolean> {
    try {
      await this.#peer.prepare(holder, REPLICAS_PROTOCOL)
      return true
    } catch (error) {
      if (!isWarrenError(error)) throw error
      return false
    }
  }

  async #challenge(
    holder: PeerId,
    expected: readonly ExpectedProof[],
    options: AuditOptions
  ): Promise<Outcome[]> {
    try {
      const proofs = await this.#ask(holder, expected, options)
      return expected.map((right, index) => judge(right.expected, proofs[index]))
    } catch (error) {
      options.signal?.throwIfAborted()
      if (!isWarrenError(error)) throw error
      return expected.map(() => (error.code === 'EPROTO' ? 'wrong' : 'silent'))
    }
  }

  async #ask(
    holder: PeerId,
    expected: readonly ExpectedProof[],
    { signal, timeoutMs: silenceMs = AUDIT_MS_MAX }: AuditOptions
  ): Promise<Proof[]> {
    const body = encodeAuditRequest(expected.map(({ challenge }) => challenge))
    const options = signal === undefined ? { silenceMs } : { silenceMs, signal }
    for await (const answer of this.#peer.call(holder, REPLICAS_PROTOCOL, { body }, options)) {
      return decodeAuditAnswer(answer.body, expected.length)
    }
    throw new WarrenError('EPROTO', { message: 'an audit without an answer' })
  }
}

function judge(expected: Uint8Array, proof: Proof): Outcome {
  if (proof === undefined) return 'missing'
  return proof.every((byte, index) => byte === expected[index]) ? 'proven' : 'wrong'
}
