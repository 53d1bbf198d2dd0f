/** Every limit of a holder list, in one place, each with its reason. */
import type { HolderListFields } from './holder-list.ts'
import type { Policy } from './policy.ts'

/** Each block may look at every holder, and everybody keeps the whole list: both stay in bounds. */
export const HOLDERS_MAX = 1024

/** Far more directories than a person sets apart, at 16 bytes each. */
export const OVERRIDES_MAX = 4096

/** A policy that wants a copy at everybody says so with `'all'`: these are a few that are named. */
export const ON_MAX = 16

/** All policies of a list together: 34 bytes each would otherwise let overrides grow to megabytes. */
export const ON_TOTAL_MAX = 2048

/** A DNS label has 63 bytes: room for the name of any place, not for a message. */
export const ZONE_BYTES_MAX = 64

/**
 * The largest list within the limits above has less than 252 KiB, and a message carries a body of
 * 1 MiB: it fits, with room left, and nobody has to parse more.
 */
export const HOLDER_LIST_BYTES_MAX: number = 256 * 1024

/** Of control characters, which would move the cursor of whoever prints the zone. */
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/

const text = new TextEncoder()

/** What is wrong with the fields of a list, in words; undefined when they may be signed. */
export function findProblem(fields: HolderListFields): string | undefined {
  const { sequence, policy, overrides, holders } = fields
  if (!isCount(sequence)) return `sequence ${String(sequence)}`
  if (holders.length > HOLDERS_MAX) return `${holders.length} holders, more than ${HOLDERS_MAX}`
  if (overrides.size > OVERRIDES_MAX) {
    return `${overrides.size} overrides, more than ${OVERRIDES_MAX}`
  }
  if (!isPolicy(policy)) return 'a default policy that cannot be'
  let named = policy.on.length
  for (const [inode, override] of overrides) {
    if (!isCount(inode) || inode === 0) return `an override for inode ${String(inode)}`
    if (!isPolicy(override)) return `a policy for inode ${inode} that cannot be`
    named += override.on.length
  }
  if (named > ON_TOTAL_MAX) return `${named} peers named in policies, more than ${ON_TOTAL_MAX}`
  for (const { peer, pledgeBytes, zone, state } of holders) {
    if (!isCount(pledgeBytes) || pledgeBytes === 0) return `pledge of ${peer}: ${pledgeBytes}`
    if (!isZone(zone)) return `a zone of ${peer} that is not ${ZONE_BYTES_MAX} bytes of text`
    if (state !== 'active' && state !== 'draining') return `state of ${peer}: ${String(state)}`
  }
  return undefined
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** What is wrong with a policy, in words; undefined when it may be signed. */
export function findPolicyProblem(policy: Policy): string | undefined {
  if (isPolicy(policy)) return undefined
  return `${policy.replicas} copies, at least ${policy.minimum}: that cannot be`
}

function isPolicy({ replicas, minimum, on }: Policy): boolean {
  const most = replicas === 'all' ? HOLDERS_MAX : replicas
  return (
    isCount(most) &&
    most <= HOLDERS_MAX &&
    isCount(minimum) &&
    minimum > 0 &&
    minimum <= most &&
    on.length <= ON_MAX &&
    new Set(on).size === on.length
  )
}

/** Whether a text may be the zone of a holder. */
export function isZone(zone: unknown): zone is string {
  return (
    typeof zone === 'string' &&
    // A UTF-16 unit has at least a byte of UTF-8: long text is not encoded to be measured.
    zone.length <= ZONE_BYTES_MAX &&
    zone.isWellFormed() &&
    !CONTROL.test(zone) &&
    text.encode(zone).length <= ZONE_BYTES_MAX
  )
}
