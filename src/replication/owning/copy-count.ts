/**
 * How many copies of a block of one version there are, by what holders say of themselves: a holder
 * that says that it has its part of a version has what placement gives it, by the list that it
 * names, without the holders that it has given up, and with what it believes others to take. Tree nodes are at every such holder.
 *
 * A holder that is behind has what did not change since the version it says it has. One that acts by
 * a list with other policies is believed to have the nodes: which data is its own we would be told
 * by paths that we did not look at.
 */
import type { BlockId } from '../../blocks/index.ts'
import type { InodeNumber } from '../../namespace/index.ts'
import type { PeerId } from '../../peer/index.ts'
import type { HolderReport } from '../circle/holder-report.ts'
import type { HolderList } from '../holders/holder-list.ts'
import { samePolicies } from '../holders/policy.ts'
import type { Policies, Policy } from '../holders/policy.ts'
import { withShares } from '../holders/shares.ts'
import { createPlacement } from '../placement/placement.ts'
import type { Placement } from '../placement/placement.ts'

/** What a version has that an older one has not. */
export interface NewSince {
  readonly inodes: ReadonlySet<InodeNumber>
  readonly blocks: ReadonlySet<BlockId>
}

const NOTHING_NEW: NewSince = { inodes: new Set(), blocks: new Set() }

export interface CopyCountComponents {
  /** Whose copy counts whatever placement says: it has everything, save what it `lacks`. */
  readonly owner: PeerId
  /** The others that are counted on and have said something. */
  readonly reports: ReadonlyMap<PeerId, HolderReport>
  /** By which list a holder acts; undefined when that is not known any more. */
  readonly listOf: (sequence: number) => HolderList | undefined
  /** What counts now. */
  readonly policies: Policies
  /** Sequence of the version. */
  readonly version: number
  /** What of it is not in an older version; undefined when nobody knows. */
  readonly newSince: (sequence: number) => NewSince | undefined
  /** Blocks that the owner should have and has not. */
  readonly lacks: (id: BlockId) => boolean
}

/** Holders that act by the same list and count on the same ones. */
interface Group {
  readonly placement: Placement
  readonly members: Map<PeerId, NewSince>
}

export class CopyCount {
  readonly #components: CopyCountComponents
  readonly #groups = new Map<string, Group>()
  readonly #haveNodes = new Map<PeerId, NewSince>()

  constructor(components: CopyCountComponents) {
    this.#components = components
    const { owner, reports, version, newSince } = components
    const known = new Map<number, NewSince | undefined>()
    for (const [peer, report] of reports) {
      if (peer === owner || report.holds < 0) continue
      const isBehind = report.holds < version
      if (isBehind && !known.has(report.holds)) known.set(report.holds, newSince(report.holds))
      const lacking = isBehind ? known.get(report.holds) : NOTHING_NEW
      if (lacking === undefined) continue
      this.#haveNodes.set(peer, lacking)
      this.#groupOf(report)?.members.set(peer, lacking)
    }
  }

  /** Of the record of a file or directory, and of the bytes that stand beside it in the tree. */
  ofInode(inode: InodeNumber): number {
    let copies = 1
    for (const { inodes } of this.#haveNodes.values()) if (!inodes.has(inode)) copies++
    return copies
  }

  /** Of a block of data below a policy. */
  ofBlock(id: BlockId, policy: Policy): number {
    const { owner, lacks } = this.#components
    let copies = lacks(id) ? 0 : 1
    for (const { placement, members } of this.#groups.values()) {
      const placed = placement.place(id, policy)
      for (const peer of placed) if (peer !== owner && has(members.get(peer), id)) copies++
      for (const peer of policy.on) {
        if (peer !== owner && !placed.includes(peer) && has(members.get(peer), id)) copies++
      }
    }
    return copies
  }

  #groupOf({ listSequence, gone, shares }: HolderReport): Group | undefined {
    const list = this.#components.listOf(listSequence)
    if (list === undefined || !samePolicies(list, this.#components.policies)) return undefined
    const less = [...shares].map(share => share.join(':'))
    const name = [listSequence, ...gone.toSorted(), '', ...less.toSorted()].join(' ')
    let group = this.#groups.get(name)
    if (group === undefined) {
      const absent = new Set(gone)
      const counted = list.holders.filter(({ peer }) => !absent.has(peer))
      const holders = withShares(counted, shares)
      group = { placement: createPlacement({ holders }), members: new Map() }
      this.#groups.set(name, group)
    }
    return group
  }
}

function has(lacking: NewSince | undefined, id: BlockId): boolean {
  return lacking !== undefined && !lacking.blocks.has(id)
}
