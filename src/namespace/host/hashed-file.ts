/**
 * A large file, read and hashed range by range on threads, in order. Their memory is lent: each run
 * has to be given back, when its blocks are stored or, where only their names are needed, before.
 */
import type { FileHashers, HashedRange } from '../../blocks/disk/index.ts'
import { RANGE_BYTES_MAX } from '../../blocks/disk/index.ts'
import type { Block } from '../../blocks/index.ts'
import { DIGEST_BYTES, createBlockId } from '../../blocks/index.ts'
import type { BlockRun } from '../volume/store-extents.ts'
import type { OpenHostFile } from './read-host-file.ts'

/** A file is handed out in parts of so many ranges, so that what is on its way into the tree stays little. */
const PART_RANGES = 512

export interface HashedFileOptions {
  readonly hashers: FileHashers
  readonly blockBytes: number
  readonly signal: AbortSignal | undefined
}

export class HashedFile {
  readonly #file: OpenHostFile
  readonly #options: HashedFileOptions
  readonly #rangeBytes: number
  /** What is being hashed, in order. */
  readonly #asked: Promise<HashedRange>[] = []
  /** What was handed out and not given back, by where it begins. */
  readonly #lent = new Map<number, HashedRange>()
  #askedTo = 0
  #position = 0
  #closed = false

  constructor(file: OpenHostFile, options: HashedFileOptions) {
    this.#file = file
    this.#options = options
    this.#rangeBytes = RANGE_BYTES_MAX - (RANGE_BYTES_MAX % options.blockBytes)
  }

  get isRead(): boolean {
    return this.#position === this.#file.size
  }

  /**
   * The next runs that are not zeros. Call it until `isRead`. What reads as zeros, whether the host
   * keeps it as a hole or not, needs no blocks: gaps between extents read as zeros too.
   */
  async *part(onHole: (bytes: number) => void): AsyncGenerator<BlockRun> {
    for (let count = 0; count < PART_RANGES && !this.isRead; count++) {
      this.#options.signal?.throwIfAborted()
      this.#askAhead()
      const range = await this.#asked.shift()!
      if (this.#closed) {
        range.release()
        return
      }
      const offset = this.#position
      this.#lent.set(offset, range)
      this.#file.requireWhole(range.bytes, this.#lengthAt(offset))
      this.#position += range.bytes.length
      if (range.isZeros) {
        this.release(offset)
        onHole(range.bytes.length)
      } else yield { offset, blocks: this.#blocksOf(range) }
    }
  }

  /** Lends the bytes of a run to who stores them, until that has ended. */
  async lend(run: BlockRun, store: (run: BlockRun) => Promise<void>): Promise<void> {
    const range = this.#take(run.offset)
    try {
      await store(run)
    } finally {
      range?.release()
    }
  }

  /** Nobody needs the bytes of the run that begins there. */
  release(offset: number): void {
    this.#take(offset)?.release()
  }

  /** Takes everything back but what is just being stored. */
  close(): void {
    this.#closed = true
    for (const asked of this.#asked) asked.then(range => range.release()).catch(() => {})
    for (const offset of this.#lent.keys()) this.release(offset)
  }

  #take(offset: number): HashedRange | undefined {
    const range = this.#lent.get(offset)
    this.#lent.delete(offset)
    return range
  }

  #askAhead(): void {
    const { hashers, blockBytes } = this.#options
    while (this.#asked.length < hashers.rangesAtOnce && this.#askedTo < this.#file.size) {
      const range = { position: this.#askedTo, length: this.#lengthAt(this.#askedTo), blockBytes }
      const asked = this.#file.use(descriptor => hashers.hash({ ...range, descriptor }))
      // It may never be waited for, when an earlier one has failed.
      asked.catch(() => {})
      this.#asked.push(asked)
      this.#askedTo += range.length
    }
  }

  #lengthAt(position: number): number {
    return Math.min(this.#rangeBytes, this.#file.size - position)
  }

  #blocksOf({ bytes, digests }: HashedRange): Block[] {
    const { blockBytes } = this.#options
    const blocks: Block[] = []
    for (let at = 0, digest = 0; at < bytes.length; at += blockBytes, digest += DIGEST_BYTES) {
      const id = createBlockId('raw', digests.subarray(digest, digest + DIGEST_BYTES))
      blocks.push({ id, bytes: bytes.subarray(at, at + blockBytes) })
    }
    return blocks
  }
}
