/** Where in the own volume a path of the namespace leads, and which policy counts there. */
import { ROOT_INODE } from '../../namespace/index.ts'
import { WarrenError } from '../../errors.ts'
import type { Inode, InodeNumber, LocalVolume, Snapshot } from '../../namespace/index.ts'
import type { Policies, Policy } from '../holders/policy.ts'

export interface OwnPlace {
  /** In the volume, which stands at the root of the namespace. */
  readonly path: string
  readonly inode: Inode
  /** From the root to the inode itself. */
  readonly chain: readonly InodeNumber[]
}

/** By real names only. Throws `ENOENT`. */
export async function findPlace(
  snapshot: Snapshot,
  path: string,
  options: { readonly signal?: AbortSignal } = {}
): Promise<OwnPlace> {
  const chain: InodeNumber[] = [ROOT_INODE]
  for (const name of path.split('/').filter(Boolean)) {
    const entry = await snapshot.lookup(chain.at(-1)!, name, options)
    if (entry === undefined) throw new WarrenError('ENOENT', { path })
    chain.push(entry.inode)
  }
  const inode = await snapshot.inode(chain.at(-1)!, options)
  if (inode === undefined) throw new WarrenError('ENOENT', { path })
  return { path, inode, chain }
}

/** The policy that counts for a place, and the path it was set at. */
export function policyAt(
  policies: Policies,
  { path, chain }: OwnPlace
): { readonly policy: Policy; readonly from: string } {
  for (let depth = chain.length - 1; depth > 0; depth--) {
    const policy = policies.overrides.get(chain[depth]!)
    if (policy === undefined) continue
    const names = path.split('/').filter(Boolean)
    return { policy, from: '/' + names.slice(0, depth).join('/') }
  }
  return { policy: policies.overrides.get(ROOT_INODE) ?? policies.policy, from: '/' }
}

export type OwnVolume = Pick<LocalVolume, 'id' | 'head' | 'snapshot' | 'sync' | 'readKey'>
