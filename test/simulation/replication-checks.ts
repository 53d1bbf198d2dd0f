/**
 * What must be so of copies, looked at on the disks themselves:
 *
 * - nothing that is durable at its owner is lost, and nothing that others had is at its owner alone;
 * - what was reported to be on so many disks is on so many disks;
 * - when faults have stopped everything is where it should be, everybody who holds a volume acts by
 *   the same list and has the newest version, and nobody stores more than was pledged.
 */
import { codecOf } from '../../src/blocks/index.ts'
import type { BlockId } from '../../src/blocks/index.ts'
import type { SignedHead, VolumeId } from '../../src/namespace/index.ts'
import type { PeerId } from '../../src/peer/index.ts'
import type { HolderList } from '../../src/replication/index.ts'
import type { Cluster, Member } from './cluster.ts'
import type { Machine } from './machine.ts'
import { require } from './violation.ts'

/** What a version is made of at one moment, to be compared with a later one. */
export interface VersionSeen {
  readonly sequence: number
  readonly blocks: ReadonlySet<BlockId>
}

/** Enough that everybody has to keep some of them. */
const DATA_MIN = 20

export interface WholeOptions {
  /** Until everybody has found them out, so many copies are believed to be where they are not. */
  readonly liarsBelieved: number
}

export class ReplicationChecks {
  readonly #cluster: Cluster
  /** By owner, for each block of its volume those others that had it at the last look. */
  readonly #elsewhere = new Map<Machine, ReadonlyMap<BlockId, readonly Machine[]>>()

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  see({ machine }: Member): VersionSeen {
    const head = this.#headOf(machine)
    return { sequence: head.sequence, blocks: this.#cluster.survey.blocksOf(head.root) }
  }

  /** Somebody has each block of the newest durable version of each volume. */
  noneLost(): void {
    const { survey, members } = this.#cluster
    for (const { machine } of members) {
      const head = survey.headOf(machine)
      if (head === undefined) continue
      for (const id of survey.blocksOf(head.root)) {
        require(survey.isSomewhere(id), () => {
          return `${this.#describe(id)} of version ${head.sequence} of ${machine.name} is lost`
        })
      }
    }
  }

  /**
   * What others than the owner have stays at one of them at least, as long as it is part of the
   * newest version: the owner's disk may be the next that fails. Who lies makes that two faults at once.
   */
  staysElsewhere(): void {
    const { survey, members, owners } = this.#cluster
    if (members.some(({ machine }) => machine.isLiar)) return
    for (const { machine: owner } of owners) {
      const list = survey.listAt(owner, owner.volume)
      const head = survey.headOf(owner)
      if (list === undefined || head === undefined) continue
      // Who drained is not listed any more, and who left at once remembers nothing of the volume.
      const holders = this.#machines.filter(other => {
        return other !== owner && isListed(list, other) && survey.remembers(other, owner.volume)
      })
      const before = this.#elsewhere.get(owner)
      const now = new Map<BlockId, readonly Machine[]>()
      for (const id of survey.blocksOf(head.root)) {
        const have = holders.filter(({ disk }) => disk.hasSynced(id))
        if (have.length > 0) now.set(id, have)
        else if (before?.get(id)?.some(other => holders.includes(other)) === true) {
          // Others may have relied on a copy of which nobody has read yet that it has rotted.
          const isBelieved = holders.some(({ disk }) => disk.blocks.get(id)?.rot === 'hidden')
          require(isBelieved, () => {
            return `${this.#describe(id)} of version ${head.sequence} is at ${owner.name} alone now`
          })
        }
      }
      this.#elsewhere.set(owner, now)
    }
  }

  /** Everything that was in the version then and is in it now is on so many disks. */
  isOnDisks(owner: Member, seen: VersionSeen, copies: number): void {
    const { survey } = this.#cluster
    const now = this.see(owner).blocks
    for (const id of seen.blocks) {
      if (!now.has(id)) continue
      // A copy that has rotted since was there all the same.
      const count = this.#machines.filter(({ disk }) => disk.blocks.get(id)?.synced === true).length
      // Who lies cannot be told apart before it was audited.
      const liars = this.#machines.filter(({ isLiar }) => isLiar).length
      require(count >= copies - liars, () => {
        const has = survey.holdersOf(id).map(({ name }) => name)
        return (
          `${owner.machine.name} was told of ${copies} copies of version ${seen.sequence}, and ` +
          `${this.#describe(id)} is at ${count}: ${has.join(' ')}`
        )
      })
    }
  }

  /**
   * Whether one of these is in the list of an owner and holds the volume no more: it left when
   * its owner could not be told, who counts it as gone after a while.
   */
  hasGhosts(owner: Member, up: readonly Member[]): boolean {
    const { volume } = owner.machine
    const list = this.#cluster.survey.listAt(owner.machine, volume)
    const others = up.filter(member => member !== owner)
    return others.some(({ machine }) => {
      return list !== undefined && isListed(list, machine) && !holds(machine, volume)
    })
  }

  /** Nothing has been broken for long, and these machines are up. */
  isWhole(owner: Member, up: readonly Member[], { liarsBelieved }: WholeOptions): void {
    const { survey } = this.#cluster
    const head = this.#headOf(owner.machine)
    const list = survey.listAt(owner.machine, owner.machine.volume)
    if (list === undefined) return
    const holders = up.filter(({ machine }) => {
      return isListed(list, machine) && (machine === owner.machine || holds(machine, list.volume))
    })
    // What one with little room does not take others have, and it has the nodes.
    const roomy = holders.filter(({ machine }) => !machine.isLiar && !machine.isTight)
    const wanted = Math.min(roomy.length, wantedOf(list, holders.length) - liarsBelieved)
    for (const { machine } of holders) {
      if (machine.isLiar) continue
      this.#agrees(machine, owner, { head, list })
    }
    const honest = holders.filter(({ machine }) => !machine.isLiar)
    for (const id of survey.blocksOf(head.root)) {
      // Rot is found when somebody reads: until then nobody can know.
      const has = honest
        .filter(({ machine }) => machine.disk.blocks.get(id)?.rot !== 'noticed')
        .filter(({ machine }) => machine.disk.blocks.get(id)?.synced === true)
      const least = codecOf(id) === 'dag-cbor' ? honest.length : wanted
      require(has.length >= least, () => {
        const states = up.map(({ machine: { name, disk } }) => {
          const block = disk.blocks.get(id)
          return `${name}: ${block === undefined ? 'none' : `${block.rot} rot`}`
        })
        return (
          `${this.#describe(id)} of version ${head.sequence} of ${owner.machine.name} is at ` +
          `${has.length} of ${least} holders (${states.join(', ')}); listed are ` +
          list.holders.map(holder => `${this.#nameOf(holder.peer)} ${holder.state}`).join(', ')
        )
      })
    }
    this.#cluster.trace.add(`${owner.machine.name} has ${wanted} copies at ${holders.length}`)
  }

  /** What is told to be stored is within what was pledged, and is what is stored. */
  withinPledges(): void {
    for (const { machine } of this.#cluster.members) {
      const replication = machine.warren?.replication
      if (replication === undefined) continue
      for (const { volume, usedBytes, pledgeBytes } of replication.held()) {
        // Beside it stands for a while what only the version before had; see `#agrees` for later.
        require(usedBytes <= 2 * pledgeBytes, () => {
          return `${machine.name} stores ${usedBytes} bytes of ${volume}, and pledged ${pledgeBytes}`
        })
      }
    }
  }

  /** Those who lie and are not found out by the owner. */
  #liarsBelieved({ machine }: Member): string[] {
    const liars = this.#machines.filter(({ isLiar }) => isLiar)
    const holders = machine.warren!.replication.holders()
    return holders.flatMap(({ peer, distrusted, presence }) => {
      const isBelieved = !distrusted && presence !== 'gone'
      return isBelieved ? liars.filter(({ id }) => id === peer).map(({ name }) => name) : []
    })
  }

  /** After long enough nobody is believed who lies; of so much data some was theirs to keep. */
  liarsAreFound(owner: Member): void {
    const believed = this.#liarsBelieved(owner)
    const { root } = this.#headOf(owner.machine)
    const blocks = [...this.#cluster.survey.blocksOf(root)]
    const data = blocks.filter(id => codecOf(id) === 'raw').length
    require(believed.length === 0 || data < DATA_MIN, () => {
      return `${owner.machine.name} still believes ${believed.join(' ')}, of ${data} blocks of data`
    })
  }

  #agrees(
    machine: Machine,
    owner: Member,
    { head, list }: { readonly head: SignedHead; readonly list: HolderList }
  ): void {
    const { survey } = this.#cluster
    const { volume, name } = owner.machine
    const sequence = survey.listAt(machine, volume)?.sequence
    require(sequence === list.sequence, () => {
      return `${machine.name} has list ${sequence} of ${name}, and the newest is ${list.sequence}`
    })
    if (machine === owner.machine) return
    const held = machine.warren!.replication.held().find(status => status.volume === volume)
    require(held?.progress === 'current' && held.holds === head.sequence, () => {
      return `${machine.name} holds ${JSON.stringify(held)}, and ${name} is at ${head.sequence}`
    })
    require(held!.usedBytes <= held!.pledgeBytes, () => {
      return `${machine.name} holds ${JSON.stringify(held)}, more than it pledged`
    })
  }

  #nameOf(peer: PeerId): string {
    return this.#machines.find(({ id }) => id === peer)!.name
  }

  get #machines(): Machine[] {
    return this.#cluster.members.map(({ machine }) => machine)
  }

  #headOf(machine: Machine): SignedHead {
    const head = this.#cluster.survey.headOf(machine)
    require(head !== undefined, () => `${machine.name} has no head`)
    return head
  }

  #describe(id: BlockId): string {
    return `${codecOf(id) === 'dag-cbor' ? 'node' : 'block'} ${id}`
  }
}

export function isListed({ holders }: HolderList, { id }: Machine): boolean {
  return holders.some(({ peer }) => peer === id)
}

function holds({ warren }: Machine, volume: VolumeId): boolean {
  return warren?.replication.held().some(held => held.volume === volume) === true
}

/** As few as any folder asks for, and not more than there are. */
function wantedOf(list: HolderList, holders: number): number {
  const { policy, overrides } = list
  const active = list.holders.filter(({ state }) => state === 'active').length
  const wanted = [policy, ...overrides.values()].map(({ replicas }) =>
    replicas === 'all' ? active : replicas
  )
  return Math.min(holders, ...wanted)
}
