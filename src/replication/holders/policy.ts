/**
 * How many copies are wanted, and which directory's wish counts.
 *
 * An override names its directory by inode number: the number stays when the directory, or one
 * above it, is renamed or moved, and is never given to another within a volume. A path would
 * silently start to mean another directory.
 */
import type { InodeNumber } from '../../namespace/index.ts'
import type { PeerId } from '../../peer/index.ts'

export interface Policy {
  /** How many holders should have a copy of each block, from 1; `'all'`: every active holder. */
  readonly replicas: number | 'all'
  /** Fewer copies than this and the data counts as endangered. From 1 to `replicas`. */
  readonly minimum: number
  /**
   * These have a copy of each block as well, whatever placement says and however many copies there
   * are. In ascending order, none twice, at most `ON_MAX`. Whoever is not a holder has no part in it.
   */
  readonly on: readonly PeerId[]
}

export interface Policies {
  /** For everything that no override covers, tree nodes included. */
  readonly policy: Policy
  /** For what is below a directory, until a directory further down says otherwise. */
  readonly overrides: ReadonlyMap<InodeNumber, Policy>
}

/**
 * The policy for what stands in a directory. Give the inode numbers of the directory, then its
 * parent, and so on up: the first one with an override decides.
 */
export function policyFor(policies: Policies, directories: Iterable<InodeNumber>): Policy {
  for (const directory of directories) {
    const override = policies.overrides.get(directory)
    if (override !== undefined) return override
  }
  return policies.policy
}

/**
 * The policy for a block that stands below several directories, because equal bytes are one block:
 * as many copies as the one that wants most, and at everybody whom one of them names.
 */
export function strongerPolicy(one: Policy, other: Policy): Policy {
  const replicas =
    one.replicas === 'all' || other.replicas === 'all'
      ? 'all'
      : Math.max(one.replicas, other.replicas)
  const minimum = Math.max(one.minimum, other.minimum)
  return { replicas, minimum, on: union(one.on, other.on) }
}

/** Most policies name nobody, and this is asked for each block that several directories share. */
function union(one: readonly PeerId[], other: readonly PeerId[]): readonly PeerId[] {
  if (other.length === 0) return one
  if (one.length === 0) return other
  return [...new Set([...one, ...other])].toSorted()
}

/** Whether two lists want the same copies of everything. */
export function samePolicies(one: Policies, other: Policies): boolean {
  if (one === other) return true
  if (one.overrides.size !== other.overrides.size) return false
  if (!samePolicy(one.policy, other.policy)) return false
  return [...one.overrides].every(([inode, policy]) => {
    const counterpart = other.overrides.get(inode)
    return counterpart !== undefined && samePolicy(policy, counterpart)
  })
}

function samePolicy(one: Policy, other: Policy): boolean {
  return (
    one.replicas === other.replicas &&
    one.minimum === other.minimum &&
    one.on.length === other.on.length &&
    one.on.every(peer => other.on.includes(peer))
  )
}
