/** Why the copies of a holder are not counted. */
import type { PeerId } from '../../peer/index.ts'

/**
 * - `lacking`: audits found that it does not have what it claims.
 * - `unproven`: for hours it was there, and did not answer audits, or not for what it said it has.
 */
export type DistrustReason = 'lacking' | 'unproven'

/** What is remembered of a holder that is distrusted. */
export interface Distrust {
  readonly holder: PeerId
  readonly reason: DistrustReason
  /** Milliseconds since 1970. */
  readonly sinceMs: number
}
