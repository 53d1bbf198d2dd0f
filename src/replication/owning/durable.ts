/**
 * Waits until everything below a path is on enough disks. Holders say which versions they have
 * whole, so most of the time that alone tells; only where some are behind or gone the blocks are
 * looked at, and no further than to the first that has not enough copies.
 */
import { WarrenError } from '../../errors.ts'
import { shareEventLoop } from '../../namespace/index.ts'
import type { SignedHead } from '../../namespace/index.ts'
import type { HolderListFields } from '../holders/holder-list.ts'
import type { Policy } from '../holders/policy.ts'
import { createPlacement } from '../placement/placement.ts'
import type { Placement } from '../placement/placement.ts'
import type { CopiesNow, CopiesOfVersion } from './copies-now.ts'
import { filesBelow } from './files-below.ts'
import type { OwnPlace } from './own-place.ts'
import { policyAt } from './own-place.ts'
import type { OwnedVolume } from './owned-volume.ts'

export interface DurableComponents {
  readonly owned: OwnedVolume
  readonly copies: CopiesNow
}

export interface DurableOptions {
  /** Undefined: as many as the policy of each file says. */
  readonly copies: number | undefined
  readonly signal: AbortSignal
}

/**
 * Resolves when enough holders have this version of what is below the place, or a later one.
 * Throws `EINVAL` when there are not enough holders, or the policy does not give as many copies.
 */
export async function untilDurable(
  { owned, copies: now }: DurableComponents,
  { place, version }: { readonly place: OwnPlace; readonly version: SignedHead },
  { copies, signal }: DurableOptions
): Promise<void> {
  await owned.changes.until(async () => {
    const list = owned.list.now
    // The record of the place itself is in the tree, and so at every holder.
    const least = copies ?? copiesOf(policyAt(list, place).policy, list)
    requireAsMany(least, Math.max(1, list.holders.length))
    if (least > now.holding(version.sequence)) return false
    if (least <= 1 && copies !== undefined) return true
    const check = new Check(now.countOf(version), list)
    return await check.holds(place, { copies, signal })
  }, signal)
}

class Check {
  readonly #counted: CopiesOfVersion
  readonly #list: HolderListFields
  readonly #all: Placement

  constructor(counted: CopiesOfVersion, list: HolderListFields) {
    this.#counted = counted
    this.#list = list
    this.#all = createPlacement(list)
  }

  async holds(place: OwnPlace, { copies, signal }: DurableOptions): Promise<boolean> {
    const { snapshot, count, policies } = this.#counted
    for await (const { files } of filesBelow({ snapshot, policies }, place, { signal })) {
      for (const { inode, policy, inTree } of files) {
        const least = copies ?? copiesOf(policy, this.#list)
        if (count.ofInode(inode.number) < least) {
          requireAsMany(least, this.#list.holders.length)
          return false
        }
        if (inTree) continue
        const content = await snapshot.content(inode, { signal })
        if (!('extents' in content)) continue
        for await (const extents of content.extents) {
          await shareEventLoop()
          signal.throwIfAborted()
          for (const { block } of extents) {
            if (count.ofBlock(block, policy) >= least) continue
            const places = new Set([...this.#all.place(block, policy), ...this.#named(policy)])
            requireAsMany(least, places.size)
            return false
          }
        }
      }
    }
    return true
  }

  /** Who has a copy whatever placement says: those that the policy names, and the owner. */
  #named({ on }: Policy): string[] {
    const { holders } = this.#list
    const owner = this.#counted.owner
    return holders.map(({ peer }) => peer).filter(peer => peer === owner || on.includes(peer))
  }
}

function copiesOf({ replicas }: Policy, { holders }: HolderListFields): number {
  if (replicas !== 'all') return replicas
  return Math.max(1, holders.filter(({ state }) => state === 'active').length)
}

function requireAsMany(copies: number, possible: number): void {
  if (copies <= possible) return
  const message = `${copies} copies, and there can be ${possible}`
  throw new WarrenError('EINVAL', { message })
}
