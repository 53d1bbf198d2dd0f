/**
 * Looks at the disks of all machines from outside, up or down, without asking anybody: which
 * blocks a volume consists of, and who has them.
 */
import { codecOf, readNodeLinks } from '../../src/blocks/index.ts'
import type { BlockId } from '../../src/blocks/index.ts'
import type { SignedHead, VolumeId } from '../../src/namespace/index.ts'
import type { HolderList } from '../../src/replication/index.ts'
import type { ReplicationRecord } from '../../src/replication/replication-store.ts'
import type { Machine } from './machine.ts'
import { Violation } from './violation.ts'

/** Trees that were walked and may be asked for again. */
const TREES_KEPT = 32

export class DiskSurvey {
  readonly #machines: () => readonly Machine[]
  readonly #trees = new Map<BlockId, ReadonlySet<BlockId>>()

  constructor(machines: () => readonly Machine[]) {
    this.#machines = machines
  }

  /** The newest version of its own volume that a machine has on disk. */
  headOf({ disk, volume }: Machine): SignedHead | undefined {
    return disk.records.get(`head ${volume}`) as SignedHead | undefined
  }

  listAt({ disk }: Machine, volume: VolumeId): HolderList | undefined {
    return disk.records.get(`list ${volume}`) as HolderList | undefined
  }

  /** Whether a machine knows, also after a restart, that it holds a volume. */
  remembers({ disk }: Machine, volume: VolumeId): boolean {
    const record = disk.records.get('replication') as ReplicationRecord | undefined
    return record?.held.some(held => held.volume === volume) === true
  }

  /** Every block of a version, nodes and data. Throws a `Violation` when a node is nowhere. */
  blocksOf(root: BlockId): ReadonlySet<BlockId> {
    const known = this.#trees.get(root)
    if (known !== undefined) return known
    const blocks = new Set<BlockId>([root])
    for (const id of blocks) {
      if (codecOf(id) === 'dag-cbor')
        for (const link of readNodeLinks(this.#bytes(id))) blocks.add(link)
    }
    this.#trees.set(root, blocks)
    if (this.#trees.size > TREES_KEPT) this.#trees.delete(this.#trees.keys().next().value!)
    return blocks
  }

  /** A block of its own volume has rotted here: it has to come from others. */
  lacksOwn(machine: Machine): boolean {
    const head = this.headOf(machine)
    if (head === undefined) return false
    return [...this.blocksOf(head.root)].some(id => !machine.disk.has(id))
  }

  /** Who has a copy that is good and survives a crash. */
  holdersOf(id: BlockId): Machine[] {
    return this.#machines().filter(({ disk }) => disk.hasSynced(id))
  }

  /** As `holdersOf` is not empty. */
  isSomewhere(id: BlockId): boolean {
    return this.#machines().some(({ disk }) => disk.hasSynced(id))
  }

  /** Also from a rotten copy: what a block says is not what a survey is about. */
  #bytes(id: BlockId): Uint8Array {
    for (const { disk } of this.#machines()) {
      const block = disk.blocks.get(id)
      if (block !== undefined) return block.bytes
    }
    throw new Violation(`no disk has the node ${id}`)
  }
}
