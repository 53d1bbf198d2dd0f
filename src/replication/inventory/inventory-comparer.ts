/**
 * Comparing with one holder again and again: keeps the salt of each pair for a while, so that only
 * the first comparison hashes everything, and sets the deadline.
 */
import { WarrenError } from '../../errors.ts'
import type { Clock, Peer, PeerId } from '../../peer/index.ts'
import { randomBytesFromPlatform } from '../random-bytes.ts'
import type { RandomBytes } from '../random-bytes.ts'
import { compareInventories } from './compare-inventories.ts'
import type { InventoryDifference, InventoryQuestion } from './compare-inventories.ts'
import { COMPARE_MS_MAX, SALTS_MAX, SALT_MS } from './inventory-limits.ts'
import { SALT_BYTES } from './inventory-messages.ts'

export interface InventoryComparerComponents {
  readonly peer: Pick<Peer, 'call'>
  readonly clock: Clock
  /** Must not be guessable; a simulation passes its own. Default: from the platform. */
  readonly randomBytes?: RandomBytes
}

export interface CompareOptions {
  readonly signal?: AbortSignal
  /** How long it may take in all, in milliseconds. Default `COMPARE_MS_MAX`. */
  readonly timeoutMs?: number
}

export interface InventoryComparer {
  /**
   * Tells which blocks a holder lacks and which we lack, as it finds out. Blocks that come or go
   * meanwhile may be told or not. Throws `EPROTO` when the holder breaks the protocol, `ENOENT`
   * when it knows nothing of that name, `EBUSY`, `ETIMEDOUT`, and what `Peer.call` throws.
   */
  compare(
    question: Omit<InventoryQuestion, 'salt'>,
    options?: CompareOptions
  ): AsyncGenerator<InventoryDifference, void, undefined>
}

export function createInventoryComparer({
  peer,
  clock,
  randomBytes = randomBytesFromPlatform
}: InventoryComparerComponents): InventoryComparer {
  /** The oldest first. */
  const salts = new Map<string, { readonly salt: Uint8Array; readonly until: number }>()

  return { compare }

  async function* compare(
    question: Omit<InventoryQuestion, 'salt'>,
    options: CompareOptions = {}
  ): AsyncGenerator<InventoryDifference, void, undefined> {
    const { signal: callerSignal, timeoutMs = COMPARE_MS_MAX } = options
    const ending = new AbortController()
    const signal =
      callerSignal === undefined ? ending.signal : AbortSignal.any([callerSignal, ending.signal])
    const message = `a comparison of inventories within ${timeoutMs} ms`
    const cancel = clock.after(timeoutMs, () => {
      ending.abort(new WarrenError('ETIMEDOUT', { message }))
    })
    try {
      const salt = saltFor(question.holder, question.scope)
      yield* compareInventories(peer, { ...question, salt }, { signal })
    } finally {
      cancel()
      // Calls that are under way when the caller leaves, or when one of them fails.
      ending.abort(new WarrenError('ECONNRESET', { message: 'the comparison has ended' }))
    }
  }

  function saltFor(holder: PeerId, scope: string): Uint8Array {
    const name = `${holder} ${scope}`
    const now = clock.now()
    const known = salts.get(name)
    if (known !== undefined && known.until > now) return known.salt
    const salt = randomBytes(SALT_BYTES)
    salts.delete(name)
    salts.set(name, { salt, until: now + SALT_MS })
    if (salts.size > SALTS_MAX) salts.delete(salts.keys().next().value!)
    return salt
  }
}
