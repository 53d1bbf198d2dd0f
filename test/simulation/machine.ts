/**
 * One simulated machine: a disk, a clock, and, while it is up, a process with a warren. The warren
 * is the real one; only what it stands on is simulated.
 */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { createWarrenOf } from '../../src/create-warren.ts'
import { createVolumeId } from '../../src/namespace/index.ts'
import type { NamespaceRecord, Version, VersionStore, VolumeId } from '../../src/namespace/index.ts'
import { importSigningKey, peerIdOf } from '../../src/peer/index.ts'
import type { Clock, MemoryNetwork, Peer, PeerId, SigningKey } from '../../src/peer/index.ts'
import type { AddressBook } from '../../src/replication/index.ts'
import { emptyReplicationRecord } from '../../src/replication/replication-record.ts'
import type { Warren, WarrenOptions } from '../../src/warren.ts'
import { LyingBlockStore } from './lying-block-store.ts'
import { MachineClock } from './machine-clock.ts'
import type { SeededRandom } from './seeded-random.ts'
import { SimulatedBlockStore } from './simulated-block-store.ts'
import { DiskProcess, SimulatedDisk } from './simulated-disk.ts'
import {
  SimulatedHeadStore,
  SimulatedHolderListStore,
  createRecordStore
} from './simulated-records.ts'

export interface MachineComponents {
  readonly clock: Clock
  readonly network: MemoryNetwork
  readonly random: SeededRandom
}

/** Silence of a holder until the others take over, in milliseconds: shorter than usual, so that it comes about. */
export const GRACE_MS = 180_000

/** Between two audits of a circle: so that some fall into each time in which nothing is broken. */
export const AUDIT_MS = 60_000

/** Small, so that files of some tens of kilobytes have many blocks. */
const OPTIONS: WarrenOptions = {
  blockBytes: 4096,
  retentionMs: 20_000,
  replication: { graceMs: GRACE_MS, auditMs: AUDIT_MS }
}

interface Running {
  readonly clock: MachineClock
  readonly process: DiskProcess
  readonly peer: Peer
  readonly warren: Promise<Warren>
}

export class Machine {
  readonly name: string
  readonly id: PeerId
  readonly volume: VolumeId
  readonly disk: SimulatedDisk
  readonly #components: MachineComponents
  readonly #peerKey: SigningKey
  readonly #volumeKey: SigningKey
  #running: Running | undefined
  #warren: Warren | undefined
  #offsetMs: number
  isAsleep = false
  /** It pretends to hold what it is given. */
  isLiar = false
  /** It has pledged so little that its part does not fit at times. */
  isTight = false
  /** Counts the processes, so that what was begun in an earlier one can be told apart. */
  starts = 0

  static async create(name: string, components: MachineComponents): Promise<Machine> {
    const { random } = components
    return new Machine(name, components, await createKey(random), await createKey(random))
  }

  private constructor(
    name: string,
    components: MachineComponents,
    peerKey: SigningKey,
    volumeKey: SigningKey
  ) {
    this.name = name
    this.id = peerIdOf(peerKey.publicKey)
    this.volume = createVolumeId(volumeKey.publicKey)
    this.#components = components
    this.#peerKey = peerKey
    this.#volumeKey = volumeKey
    this.disk = new SimulatedDisk(components.random.fork())
    this.#offsetMs = components.random.between(-2_000, 2_000)
  }

  /** Undefined while it is down or starting. */
  get warren(): Warren | undefined {
    return this.#warren
  }

  get isUp(): boolean {
    return this.#warren !== undefined
  }

  get isDown(): boolean {
    return this.#running === undefined
  }

  /** Up, and doing what time brings. */
  get isAwake(): boolean {
    return this.isUp && !this.isAsleep
  }

  async start(): Promise<Warren> {
    const { clock, network } = this.#components
    const machineClock = new MachineClock(clock, this.#offsetMs)
    const process = new DiskProcess(this.disk, machineClock)
    const peer = network.createPeer({ key: this.#peerKey, clock: machineClock })
    const store = this.isLiar ? new LyingBlockStore(process) : new SimulatedBlockStore(process)
    this.starts++
    const running: Running = {
      clock: machineClock,
      process,
      peer,
      warren: createWarrenOf(
        {
          peer,
          clock: machineClock,
          blockStore: store,
          onDamaged: listener => (store.onDamaged = listener),
          headStore: new SimulatedHeadStore(process),
          namespaceStore: createRecordStore<NamespaceRecord>(process, 'namespace', () => ({
            mounts: [],
            shares: []
          })),
          versionStore: versionsOn(process),
          holderListStore: new SimulatedHolderListStore(process),
          replicationStore: createRecordStore(process, 'replication', emptyReplicationRecord),
          addressStore: createRecordStore<AddressBook>(process, 'addresses', () => ({ peers: [] })),
          volumeKey: this.#volumeKey,
          readKey: undefined,
          keepReadKey: async () => {},
          createTransfers: undefined,
          compact: async () => {},
          close: async () => {}
        },
        OPTIONS
      )
    }
    this.#running = running
    try {
      const warren = await running.warren
      if (this.#running === running) this.#warren = warren
      return warren
    } catch (error) {
      if (this.#running === running) this.crash()
      throw error
    }
  }

  /** The power goes. */
  crash(): void {
    if (this.#running === undefined) return
    const { clock, process, peer } = this.#running
    process.kill()
    clock.die()
    this.#offsetMs = clock.offsetMs
    void peer.stop()
    this.disk.crash()
    this.#running = undefined
    this.#warren = undefined
    this.isAsleep = false
  }

  /** Ends as a program should; what was written is on disk then. */
  async stop(): Promise<void> {
    const running = this.#running
    const warren = this.#warren
    this.#warren = undefined
    await warren?.stop()
    if (this.#running === running) this.crash()
  }

  sleep(): void {
    this.isAsleep = true
    this.#running?.clock.sleep()
  }

  wake(): void {
    this.isAsleep = false
    this.#running?.clock.wake()
  }

  jump(ms: number): void {
    this.#running?.clock.jump(ms)
  }
}

function versionsOn(process: DiskProcess): VersionStore {
  const record = createRecordStore<readonly Version[]>(process, 'versions', () => [])
  return { load: () => record.load(), save: (_, versions) => record.save(versions) }
}

/** In libp2p's protobuf form: type Ed25519, then the private and the public key of 32 bytes each. */
async function createKey(random: SeededRandom): Promise<SigningKey> {
  const seed = new Uint8Array(32)
  random.fill(seed)
  const header = Buffer.from('302e020100300506032b657004220420', 'hex')
  const der = Buffer.concat([header, seed])
  const secret = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(secret).export({ format: 'der', type: 'spki' })
  const publicKey = spki.subarray(spki.length - 32)
  return importSigningKey(
    new Uint8Array(Buffer.concat([Buffer.of(0x08, 0x01, 0x12, 0x40), seed, publicKey]))
  )
}
