/**
 * The disk of one machine. It outlives the processes that use it, and it has the faults of disks:
 *
 * - What was not synced when the machine crashes is there afterwards or is not, each block for
 *   itself; a removal that was not synced may be undone; a record that was being replaced is the
 *   old one or the new one.
 * - Blocks rot: a read notices and reports them missing. Until one is read it seems to be there.
 * - It can be full, but for a little that still fits, and it can be slow.
 *
 * Records are everything that is not a block: heads, holder lists, the namespace.
 */
import type { Block, BlockId, BlockStoreUsage } from '../../src/blocks/index.ts'
import { WarrenError } from '../../src/errors.ts'
import type { MachineClock } from './machine-clock.ts'
import type { SeededRandom } from './seeded-random.ts'

export interface StoredBlock {
  readonly bytes: Uint8Array
  synced: boolean
  rot: 'none' | 'hidden' | 'noticed'
}

/** Milliseconds at most. A disk that is slow takes so many times longer. */
const WRITE_MS_MAX = 2
const SYNC_MS_MAX = 12
const SLOWNESS = 40

/** Room that a record is taken to need. */
const RECORD_BYTES = 1_000

export class SimulatedDisk {
  readonly blocks: Map<BlockId, StoredBlock> = new Map()
  readonly records: Map<string, unknown> = new Map()
  /** Of blocks; what is there may be more. */
  capacityBytes: number = Infinity
  isSlow = false
  /** It says that it has synced, and has not: what a simulation has to find out. */
  liesAboutSync = false
  readonly random: SeededRandom
  /** Removed and not synced. */
  readonly #removed = new Map<BlockId, StoredBlock>()
  readonly #recordsUnderWay = new Set<() => void>()
  /** Undefined when it has to be counted anew. */
  #usage: BlockStoreUsage | undefined

  constructor(random: SeededRandom) {
    this.random = random
  }

  /** A copy that can be read, also by who does not use the machine. */
  has(id: BlockId): boolean {
    return this.blocks.get(id)?.rot === 'none'
  }

  /** Survives a crash at this moment. */
  hasSynced(id: BlockId): boolean {
    return this.has(id) && this.blocks.get(id)!.synced
  }

  /** What can be read, as far as anybody knows. */
  usage(): BlockStoreUsage {
    if (this.#usage !== undefined) return this.#usage
    let blocks = 0
    let bytes = 0
    for (const block of this.blocks.values()) {
      if (block.rot === 'noticed') continue
      blocks++
      bytes += block.bytes.length
    }
    return (this.#usage = { blocks, bytes })
  }

  /** It may refuse what it is given. */
  get isLimited(): boolean {
    return this.capacityBytes < Infinity
  }

  /** So much fits, and no more; removing makes room. */
  fill(roomBytes: number): void {
    this.capacityBytes = this.usage().bytes + roomBytes
  }

  hasRoom(bytes: number): boolean {
    return this.usage().bytes + bytes <= this.capacityBytes
  }

  put({ id, bytes }: Block): void {
    const before = this.blocks.get(id)
    const { blocks, bytes: used } = this.usage()
    const isNew = before === undefined || before.rot === 'noticed'
    this.#usage = isNew ? { blocks: blocks + 1, bytes: used + bytes.length } : undefined
    this.blocks.set(id, { bytes: bytes.slice(), synced: false, rot: 'none' })
  }

  /** Somebody has read that it is rotten. */
  notice(block: StoredBlock): void {
    this.#usage = undefined
    block.rot = 'noticed'
  }

  remove(id: BlockId): void {
    const block = this.blocks.get(id)
    if (block === undefined) return
    this.#usage = undefined
    this.blocks.delete(id)
    if (block.synced && block.rot === 'none') this.#removed.set(id, block)
  }

  /** What is there now will survive a crash when the function that this returns has been called. */
  beginSync(): () => void {
    if (this.liesAboutSync) return () => {}
    const written = [...this.blocks.values()].filter(({ synced }) => !synced)
    const removed = [...this.#removed.keys()]
    return () => {
      for (const block of written) block.synced = true
      for (const id of removed) this.#removed.delete(id)
    }
  }

  /** The record is replaced when the function that this returns has been called. */
  beginRecord(name: string, value: unknown): () => void {
    const apply = (): void => {
      this.#recordsUnderWay.delete(apply)
      if (value === undefined) this.records.delete(name)
      else this.records.set(name, value)
    }
    this.#recordsUnderWay.add(apply)
    return apply
  }

  rot(id: BlockId): void {
    const block = this.blocks.get(id)
    if (block !== undefined) block.rot = 'hidden'
  }

  crash(): void {
    this.#usage = undefined
    for (const [id, block] of this.blocks) {
      if (block.synced) continue
      if (this.random.chance(0.5)) this.blocks.delete(id)
      else block.synced = true
    }
    for (const [id, block] of this.#removed) {
      if (!this.blocks.has(id) && this.random.chance(0.5)) this.blocks.set(id, block)
    }
    for (const apply of this.#recordsUnderWay) if (this.random.chance(0.5)) apply()
    this.#removed.clear()
    this.#recordsUnderWay.clear()
  }
}

/** What one process has of the disk. When it is killed, nothing it waits for ever comes. */
export class DiskProcess {
  readonly disk: SimulatedDisk
  readonly #clock: MachineClock
  #dead = false

  constructor(disk: SimulatedDisk, clock: MachineClock) {
    this.disk = disk
    this.#clock = clock
  }

  kill(): void {
    this.#dead = true
  }

  read(): Promise<void> {
    if (this.#dead) return new Promise(() => {})
    return this.disk.isSlow ? this.#wait(WRITE_MS_MAX) : Promise.resolve()
  }

  write(): Promise<void> {
    return this.#wait(WRITE_MS_MAX)
  }

  sync(): Promise<void> {
    return this.#wait(SYNC_MS_MAX)
  }

  async replaceRecord(name: string, value: unknown): Promise<void> {
    if (this.#dead) return new Promise(() => {})
    if (this.disk.isLimited && !this.disk.hasRoom(RECORD_BYTES) && value !== undefined)
      throw fullError(`writing ${name}`)
    const apply = this.disk.beginRecord(name, value)
    await this.#wait(SYNC_MS_MAX)
    apply()
  }

  #wait(msMax: number): Promise<void> {
    if (this.#dead) return new Promise(() => {})
    const ms = this.disk.random.next() * msMax * (this.disk.isSlow ? SLOWNESS : 1)
    return new Promise(resolve => this.#clock.after(ms, resolve))
  }
}

export function fullError(what: string): WarrenError {
  return new WarrenError('ENOSPC', { message: `${what}: the simulated disk is full` })
}
