/** Tells a check of the own volume how many copies there are of what it looks at. */
import type { CopiesOf } from '../check/copies-check.ts'
import type { HolderListFields } from '../holders/holder-list.ts'
import { policyFor } from '../holders/policy.ts'
import type { Policy } from '../holders/policy.ts'
import type { CopiesNow } from './copies-now.ts'

/**
 * As holders say now, counted once for all that is asked afterwards. More copies than are wanted are
 * never told: they are on their way out, or hold for somebody who wants more of the same bytes.
 */
export async function copiesForCheck(
  copies: Pick<CopiesNow, 'count' | 'holding' | 'lookAgain'>,
  list: Pick<HolderListFields, 'holders'>,
  options: { readonly signal: AbortSignal }
): Promise<CopiesOf> {
  const { version, policies, count } = await copies.count(options)
  const holding = copies.holding(version.sequence)
  const active = list.holders.filter(({ state }) => state === 'active').length
  const wantedOf = ({ replicas, minimum }: Policy): number =>
    replicas === 'all' ? Math.max(minimum, active) : replicas
  let lookedAgain: Promise<void> | undefined
  return async blocks => {
    // Not before the check has repaired what it could.
    await (lookedAgain ??= copies.lookAgain(options))
    return blocks.map(({ id, inode, directories }) => {
      const policy =
        inode === undefined ? policies.policy : policyFor(policies, [inode, ...directories()])
      return {
        // Nodes are at every holder that has the version.
        copies: inode === undefined ? holding : count.ofBlock(id, policy),
        wantedMin: wantedOf(policy),
        wantedMax: Infinity
      }
    })
  }
}
