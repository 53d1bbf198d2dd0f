/**
 * One of the five of the demo, in a process of its own. All of them run this: Alice owns the volume
 * that the others hold, and that makes no difference to what a peer is.
 */
import { createWarren } from 'warren'
import type { PeerId, TransferReport } from 'warren'
import { answerParent } from '../demo/answer-parent.ts'
import type { Answering } from '../demo/answer-parent.ts'

/** What the parent may ask, with its arguments and what comes back. */
export interface HolderVerbs {
  address(): string
  connect(address: string): void
  /** Takes a folder of the host in, as it is now. */
  import(hostPath: string, path: string): Transferred
  share(path: string): string
  /** How many copies there are to be of everything, and how few are too few. */
  want(replicas: number, minimum: number): void
  pledge(bytes: number, to: string): void
  invite(peer: string): void
  /** Has a holder no longer that will not come back. */
  remove(peer: string): void
  status(): StatusFigures
  /** What has come here to be held since it was asked last, in bytes. */
  copiedBytes(): number
  heldBytes(): number
  /** How many blocks were found damaged here. */
  damagedBlocks(): number
  mount(path: string, link: string): void
  export(path: string, hostPath: string): Transferred
}

export interface Transferred {
  readonly files: number
  readonly bytes: number
}

/** How things stand, as the owner sees it. */
export interface StatusFigures {
  readonly version: number
  /** Index: copies. */
  readonly bytesByCopies: readonly number[]
  readonly holders: readonly {
    readonly peer: string
    readonly presence: 'present' | 'absent' | 'gone'
    readonly isWhole: boolean
  }[]
  readonly repairingBytes: number
}

/** The demo is to end soon: who has been silent for three seconds is given up. */
const IMPATIENCE = { signOfLifeMs: 250, absentMs: 1_000, graceMs: 3_000 }

const [directory = ''] = process.argv.slice(2)

const warren = await createWarren({
  directory,
  listen: ['/ip4/127.0.0.1/tcp/0'],
  discovery: false,
  replication: IMPATIENCE
})

/** Until the volume is here for the first time. */
let isNew = warren.replication.held().length === 0
let copiedBytes = 0
warren.replication.events.addEventListener('repaired', ({ detail }) => {
  copiedBytes += detail.bytes
})

let damagedBlocks = 0
warren.replication.events.addEventListener('corrupt-found', ({ detail }) => {
  if (detail.peer === warren.id) damagedBlocks += detail.blocks
})

const verbs: Answering<HolderVerbs> = {
  address: () => warren.addresses()[0] ?? '',
  connect: async address => void (await warren.connect(address)),
  async import(hostPath, path) {
    const report = await warren.import(hostPath, path)
    await warren.sync()
    return transferred(report)
  },
  share: path => warren.share(path),
  want: (replicas, minimum) => warren.replication.set('/', { replicas, minimum }),
  pledge: (bytes, to) => warren.replication.pledge({ bytes, to: [to as PeerId] }),
  invite: async peer => void (await warren.replication.invite(peer as PeerId)),
  remove: peer => warren.replication.remove(peer as PeerId, { drain: false }),
  async status() {
    const { version, folders, holders, repairing } = await warren.replication.status('/')
    return {
      version,
      bytesByCopies: folders[0]?.copies.map(({ bytes }) => bytes) ?? [],
      holders: holders.map(({ peer, presence, progress }) => ({
        peer,
        presence,
        isWhole: progress === 'current'
      })),
      repairingBytes: repairing.bytes
    }
  },
  copiedBytes() {
    const usedBytes = heldBytes()
    const bytes = isNew ? usedBytes : copiedBytes
    isNew &&= usedBytes === 0
    copiedBytes = 0
    return bytes
  },
  heldBytes,
  damagedBlocks: () => damagedBlocks,
  mount: (path, link) => warren.mount(path, link),
  export: async (path, hostPath) => transferred(await warren.export(path, hostPath))
}

answerParent<HolderVerbs>(verbs, warren.id)

/** Of the one volume that is held here. */
function heldBytes(): number {
  return warren.replication.held()[0]?.usedBytes ?? 0
}

function transferred({ files, skipped, bytes, failed }: TransferReport): Transferred {
  const [first] = failed
  if (first !== undefined) {
    throw new Error(`${failed.length} files failed, ${first.path} for one: ${first.error.message}`)
  }
  return { files: files + skipped, bytes }
}
