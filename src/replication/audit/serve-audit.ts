/** The half of audits that answers: reads the blocks again each time, because that is the point. */
import type { BlockId, BlockStore } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import type { CallHandler, Clock, Peer, PeerId } from '../../peer/index.ts'
import { Allowances } from '../allowances.ts'
import { AUDIT_BURST, AUDIT_CHALLENGES_PER_SECOND, AUDIT_READS_AT_ONCE } from './audit-limits.ts'
import { decodeAuditRequest, encodeAuditAnswer, proveRange } from './audit-messages.ts'
import type { Challenge, Proof } from './audit-messages.ts'

export interface ServeAuditComponents {
  readonly peer: Pick<Peer, 'id'>
  readonly store: Pick<BlockStore, 'get'>
  readonly clock: Pick<Clock, 'now'>
  /**
   * Whether this peer may audit this block: must be no wider than whom the block is served to,
   * because with enough challenges bytes can be guessed one by one. A refused block looks missing.
   */
  readonly mayAudit: (id: BlockId, from: PeerId) => boolean
}

/** The handler of the verb `audit`. */
export function createAuditHandler(components: ServeAuditComponents): CallHandler {
  const { peer, store, clock, mayAudit } = components
  const allowances = new Allowances(clock, {
    burst: AUDIT_BURST,
    perSecond: AUDIT_CHALLENGES_PER_SECOND
  })

  return async function* serveAudit({ body }, { from, signal }) {
    const challenges = decodeAuditRequest(body)
    if (!allowances.take(from, challenges.length)) {
      throw new WarrenError('EBUSY', { message: `${from} audits too much` })
    }
    const proofs: Proof[] = []
    for (let start = 0; start < challenges.length; start += AUDIT_READS_AT_ONCE) {
      const some = challenges.slice(start, start + AUDIT_READS_AT_ONCE)
      proofs.push(...(await Promise.all(some.map(challenge => prove(challenge, from, signal)))))
      signal.throwIfAborted()
    }
    yield { body: encodeAuditAnswer(proofs) }
  }

  async function prove(challenge: Challenge, from: PeerId, signal: AbortSignal): Promise<Proof> {
    if (!mayAudit(challenge.id, from)) return undefined
    const bytes = await store.get(challenge.id, { signal })
    return bytes === undefined ? undefined : proveRange(peer.id, bytes, challenge)
  }
}
