/** What apps say of copies by path, as it stands in the holder list: by inode number. */
import { WarrenError } from '../../errors.ts'
import { ROOT_INODE } from '../../namespace/index.ts'
import type { InodeNumber, LocalVolume } from '../../namespace/index.ts'
import type { PeerId } from '../../peer/index.ts'
import { ON_MAX, findPolicyProblem } from '../holders/limits.ts'
import type { HolderListFields } from '../holders/holder-list.ts'
import type { Policies, Policy } from '../holders/policy.ts'
import { policyAt } from './own-place.ts'
import type { OwnPlace } from './own-place.ts'
import { ONE_COPY } from './signed-list.ts'
import type { SignedList } from './signed-list.ts'

/** Two copies at least, when as many are wanted: with one less, the next loss is final. */
const MINIMUM = 2

export interface WantedPolicy {
  readonly replicas: number | 'all'
  readonly minimum?: number
}

export interface PoliciesComponents {
  readonly list: SignedList
  readonly own: Pick<LocalVolume, 'snapshot' | 'readKey'>
}

/** Throws `EINVAL` for numbers that cannot be, `ENOTSUP` below the root of a sealed volume. */
export async function setPolicy(
  components: PoliciesComponents,
  place: OwnPlace,
  { replicas, minimum }: WantedPolicy
): Promise<void> {
  const least = minimum ?? Math.min(MINIMUM, replicas === 'all' ? MINIMUM : replicas)
  const wanted = { replicas, minimum: least }
  const problem = findPolicyProblem({ ...wanted, on: [] })
  if (problem !== undefined) throw new WarrenError('EINVAL', { message: problem })
  await changePolicy(components, place, before => ({ ...wanted, on: before?.on ?? [] }))
}

export async function unsetPolicy(components: PoliciesComponents, place: OwnPlace): Promise<void> {
  await changePolicy(components, place, () => undefined)
}

/** A holder has a copy of all that is below. Throws `EINVAL` when it is none. */
export async function nameInPolicy(
  components: PoliciesComponents,
  place: OwnPlace,
  peer: PeerId
): Promise<void> {
  await changePolicy(components, place, (own, fields) => {
    if (!fields.holders.some(holder => holder.peer === peer)) {
      throw new WarrenError('EINVAL', { message: `${peer} is not a holder` })
    }
    const policy = own ?? policyAt(fields, place).policy
    if (policy.on.includes(peer)) return policy
    if (policy.on.length === ON_MAX) {
      throw new WarrenError('EINVAL', { message: `over ${ON_MAX} named holders` })
    }
    return { ...policy, on: [...policy.on, peer] }
  })
}

type Edit = (own: Policy | undefined, fields: HolderListFields) => Policy | undefined

async function changePolicy(
  { list, own }: PoliciesComponents,
  place: OwnPlace,
  edit: Edit
): Promise<void> {
  const inode = place.inode.number
  if (inode !== ROOT_INODE && own.readKey !== undefined) {
    throw new WarrenError('ENOTSUP', {
      message: 'holders of a sealed volume see no directories: only / has a policy'
    })
  }
  await list.change(async fields => {
    if (inode === ROOT_INODE) {
      const policy = edit(fields.policy, fields) ?? ONE_COPY
      return policy === fields.policy ? undefined : { ...fields, policy }
    }
    const before = fields.overrides.get(inode)
    const policy = edit(before, fields)
    if (policy === before) return undefined
    const overrides = new Map(await stillThere(own, fields))
    if (policy === undefined) overrides.delete(inode)
    else overrides.set(inode, policy)
    return { ...fields, overrides }
  })
}

/** Of directories that were removed nothing has to be said: their numbers are never used again. */
async function stillThere(
  own: Pick<LocalVolume, 'snapshot'>,
  { overrides }: Policies
): Promise<[InodeNumber, Policy][]> {
  const ascending = [...overrides].toSorted(([one], [other]) => one - other)
  const snapshot = await own.snapshot()
  const inodes = await snapshot.inodes(ascending.map(([inode]) => inode))
  return ascending.filter((_, index) => inodes[index] !== undefined)
}
