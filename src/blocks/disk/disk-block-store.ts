/**
 * Blocks on a disk: an append-only log of segments, and a table in memory of which block is where.
 *
 * What is written is only ever appended, so a crash can damage nothing but the end; every block
 * names its own hash, so what is damaged is recognised. `docs/decisions/001-block-store-engine.md`
 * says why this and no database; `segment-format.ts` says what is in the files.
 *
 *     blocks/LOCK                        one process at a time
 *     blocks/segments/00000001.segment   records, back to back
 *     blocks/segments/00000001.index     what is in it, made again when missing
 */
import { statfs } from 'node:fs/promises'
import { Appender } from './appender.ts'
import type { BlockLog } from './block-log.ts'
import { isWasteful } from './compaction-plan.ts'
import { Compactor } from './compactor.ts'
import type { DirectoryLock } from './directory-lock.ts'
import { lockDirectory } from './directory-lock.ts'
import { syncLog } from './durability.ts'
import { DiskReserve } from './disk-reserve.ts'
import type { FileSystem } from './file-system.ts'
import { nodeFileSystem } from './file-system.ts'
import { openLog } from './open-log.ts'
import { readBlock } from './read-record.ts'
import { ReadTurn } from './read-turn.ts'
import { SegmentSealer } from './segment-sealer.ts'
import { shareCalls } from './shared-call.ts'
import { isMissingFile, toWarrenError } from './system-error.ts'
import { WriteQueue } from './write-queue.ts'
import type { NewBlock } from './write-queue.ts'
import type { Block } from '../block.ts'
import { BLOCK_BYTES_MAX } from '../block.ts'
import type { BlockId } from '../block-id.ts'
import { blockIdFromBytes, blockIdToBytes, codecOf } from '../block-id.ts'
import type { BlockStore, BlockStoreUsage, StoreOptions } from '../block-store.ts'
import { WarrenError, isWarrenError } from '../../errors.ts'

/** Large enough that files are few and seals are rare, small enough to be rewritten in a second. */
export const SEGMENT_BYTES_MAX: number = 256 * 1024 * 1024
/** So that on a full disk, a card of a few hundred MiB say, a copy of one finds room in the reserve. */
const SEGMENTS_MIN = 64
const SEGMENT_BYTES_MIN = 4 * 1024 * 1024
/** Below one half, compaction frees more than it copies. */
export const LIVE_RATIO_MIN = 0.5

export interface DiskBlockStoreOptions {
  /** Bytes at which a segment is full. Default 256 MiB, less on a small disk; at most 4 GiB - 1. */
  readonly segmentBytesMax?: number
  /** Segments of which less than this part is alive are written anew. Default 0.5. */
  readonly liveRatioMin?: number
  /** Whether removing blocks starts `compact` by itself. Default true. */
  readonly compactAutomatically?: boolean
  /** Whether room is kept for deleting on a full disk (`disk-reserve.ts`). Default false. */
  readonly reserve?: boolean
  /** False when the caller has locked the directory. Default true. */
  readonly lock?: boolean
  /** Called when a block's bytes are found damaged: the block is missing from then on. */
  readonly onDamaged?: (id: BlockId) => void
  /** Default the one of Node. */
  readonly fileSystem?: FileSystem
}

export interface DiskBlockStore extends BlockStore {
  /**
   * Gives the space of removed blocks back to the disk. Reads and writes go on meanwhile. When the
   * store is closed meanwhile it resolves early, and the rest is for the next time.
   */
  compact(): Promise<void>
  /**
   * Whether content may be stored, as far as is known: false while what was kept for a full disk is
   * in use.
   */
  hasRoom(): Promise<boolean>
  /** Bytes of the files on disk. */
  diskBytes(): number
}

/**
 * Makes the directory if need be. Throws `EBUSY` while another process, or another store of this
 * one, has it open.
 */
export async function openDiskBlockStore(
  directory: string,
  options: DiskBlockStoreOptions = {}
): Promise<DiskBlockStore> {
  const lock = options.lock === false ? undefined : await lockDirectory(directory)
  try {
    const log = await openLog(directory, options.fileSystem ?? nodeFileSystem)
    const reserve =
      options.reserve === true ? await DiskReserve.open(directory, log.fileSystem) : undefined
    const segmentBytesMax = options.segmentBytesMax ?? (await segmentBytesFor(directory))
    return new LogBlockStore(log, { lock, reserve }, { ...options, segmentBytesMax })
  } catch (error) {
    await lock?.release()
    throw error
  }
}

class LogBlockStore implements DiskBlockStore {
  readonly #log: BlockLog
  readonly #lock: DirectoryLock | undefined
  readonly #reserve: DiskReserve | undefined
  readonly #sealer: SegmentSealer
  readonly #appender: Appender
  readonly #queue: WriteQueue
  readonly #compactor: Compactor
  readonly #turn = new ReadTurn()
  readonly #liveRatioMin: number
  readonly #compactAutomatically: boolean
  readonly #onDamaged: (id: BlockId) => void
  readonly #syncShared: () => Promise<void>
  #closed: Promise<void> | undefined

  constructor(
    log: BlockLog,
    kept: { readonly lock: DirectoryLock | undefined; readonly reserve: DiskReserve | undefined },
    options: DiskBlockStoreOptions & { readonly segmentBytesMax: number }
  ) {
    const { segmentBytesMax } = options
    if (!(segmentBytesMax > 0 && segmentBytesMax < 2 ** 32)) {
      throw new TypeError(`segmentBytesMax ${segmentBytesMax}, at most 4 GiB - 1`)
    }
    this.#log = log
    this.#lock = kept.lock
    this.#reserve = kept.reserve
    this.#liveRatioMin = options.liveRatioMin ?? LIVE_RATIO_MIN
    this.#compactAutomatically = options.compactAutomatically ?? true
    this.#onDamaged = options.onDamaged ?? (() => {})
    this.#sealer = new SegmentSealer(log, () => this.#compactInBackground())
    const active = [...log.segments.values()].find(segment => segment.index !== undefined)
    this.#appender = new Appender(log, this.#sealer, { active, segmentBytesMax })
    this.#queue = new WriteQueue(log, this.#appender)
    this.#syncShared = shareCalls(() => syncLog(log))
    this.#compactor = new Compactor(log, {
      segmentBytesMax,
      liveRatioMin: this.#liveRatioMin,
      alone: work => this.#queue.alone(work),
      makeRoom: async bytes => (await this.#reserve?.release(bytes)) ?? false,
      onDamaged: id => this.#onDamaged(blockIdFromBytes(id))
    })
  }

  async get(id: BlockId, options?: StoreOptions): Promise<Uint8Array | undefined> {
    this.#checkOpen(options)
    const idBytes = blockIdToBytes(id)
    const place = this.#log.table.get(idBytes)
    if (place === undefined) return undefined
    const segment = this.#log.segments.get(place.container)!
    const bytes = await this.#log.files
      .use(segment, file => readBlock(idBytes, { file, place, turn: this.#turn }))
      .catch(cause => {
        // A file that is gone is damage; one that cannot be opened just now is not.
        if (isMissingFile(cause)) return undefined
        throw toWarrenError(cause, { syscall: 'open', path: segment.path })
      })
    const isStillThere = this.#log.isAt(idBytes, segment, place.offset)
    if (bytes !== undefined) this.#log.unmarkDamaged(idBytes)
    else if (isStillThere && !this.#log.isDamaged(idBytes)) {
      this.#log.markDamaged(idBytes, place)
      this.#onDamaged(id)
    }
    return bytes
  }

  async has(id: BlockId, options?: StoreOptions): Promise<boolean> {
    this.#checkOpen(options)
    return this.#log.has(blockIdToBytes(id))
  }

  async putMany(blocks: readonly Block[], options?: StoreOptions): Promise<void> {
    this.#checkOpen(options)
    const named = blocks.map(({ id, bytes }) => {
      if (bytes.length > BLOCK_BYTES_MAX) throw tooLarge(bytes.length)
      return { name: id, id: blockIdToBytes(id), bytes }
    })
    if (blocks.some(({ id }) => codecOf(id) === 'raw')) await this.#putContent(named)
    else await this.#putNodes(named)
  }

  async hasRoom(): Promise<boolean> {
    this.#checkOpen()
    return (await this.#reserve?.fill(this.#log.usage().bytes)) ?? true
  }

  async #putContent(blocks: readonly NewBlock[]): Promise<void> {
    // Otherwise it is queued at once: calls take effect in the order in which they are made.
    if (this.#reserve?.isWhole === false && !(await this.hasRoom())) {
      throw new WarrenError('ENOSPC', { message: 'the disk is full' })
    }
    await this.#queue.put(blocks)
    await this.#reserve?.fill(this.#log.usage().bytes)
  }

  /** Nodes may be what says that content is not needed any more. */
  async #putNodes(blocks: readonly NewBlock[]): Promise<void> {
    try {
      await this.#queue.put(blocks)
    } catch (error) {
      if (!isWarrenError(error, 'ENOSPC')) throw error
      const bytes = blocks.reduce((sum, block) => sum + block.bytes.length, 0)
      if (!(await this.#reserve?.release(2 * bytes))) throw error
      await this.#queue.put(blocks)
    }
  }

  async deleteMany(ids: readonly BlockId[], options?: StoreOptions): Promise<void> {
    this.#checkOpen(options)
    await this.#queue.remove(ids.map(name => ({ name, id: blockIdToBytes(name) })))
    this.#compactInBackground()
  }

  async *ids(options?: StoreOptions): AsyncGenerator<BlockId> {
    this.#checkOpen(options)
    for (const { id } of this.#log.table.entries()) {
      if (!this.#log.isDamaged(id)) yield blockIdFromBytes(id)
      this.#checkOpen(options)
    }
  }

  async sync(): Promise<void> {
    this.#checkOpen()
    await this.#sync()
  }

  usage(): BlockStoreUsage {
    this.#checkOpen()
    return this.#log.usage()
  }

  diskBytes(): number {
    this.#checkOpen()
    let bytes = 0
    for (const segment of this.#log.segments.values()) bytes += segment.size
    return bytes
  }

  async compact(): Promise<void> {
    this.#checkOpen()
    await this.#queue.alone(async () => {
      const { active } = this.#appender
      if (active === undefined) return
      const { bytes } = active.needed(number => this.#log.segments.has(number))
      if (isWasteful(active, bytes, this.#liveRatioMin)) await this.#appender.endSegment()
    })
    await this.#sealer.settled()
    await this.#compactor.run()
    // So that content may be stored again as soon as there is room for it.
    if (this.#closed === undefined) await this.hasRoom()
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    try {
      await this.#compactor.stop()
      await this.#sync()
      // So that opening it again has nothing to scan.
      await this.#queue.alone(() => this.#appender.endSegment())
    } finally {
      // Whatever failed: nothing may write here any more once the lock is gone.
      await this.#sealer.settled()
      await this.#reserve?.settled()
      await this.#log.files.closeAll()
      await this.#lock?.release()
    }
  }

  async #sync(): Promise<void> {
    // Behind everything that was called before.
    await this.#queue.alone(async () => {})
    await this.#syncShared()
  }

  #compactInBackground(): void {
    if (!this.#compactAutomatically || this.#closed !== undefined) return
    // Without space to copy to, or on a failing disk, it is tried again after the next removal.
    this.#compactor.run().catch(() => {})
  }

  #checkOpen(options?: StoreOptions): void {
    options?.signal?.throwIfAborted()
    if (this.#closed === undefined) return
    throw new WarrenError('EBADF', {
      message: `the block store in ${this.#log.directory} is closed`
    })
  }
}

async function segmentBytesFor(directory: string): Promise<number> {
  const disk = await statfs(directory).catch(() => undefined)
  if (disk === undefined) return SEGMENT_BYTES_MAX
  const part = Math.floor((disk.blocks * disk.bsize) / SEGMENTS_MIN)
  return Math.min(SEGMENT_BYTES_MAX, Math.max(SEGMENT_BYTES_MIN, part))
}

function tooLarge(bytes: number): WarrenError {
  return new WarrenError('EFBIG', {
    message: `block of ${bytes} bytes, ${BLOCK_BYTES_MAX} at most`
  })
}
