/** The half of the block exchange that answers: walks what is wanted, reads ahead, fills messages. */
import type { BlockId } from '../block-id.ts'
import type { BlockStore } from '../block-store.ts'
import { WarrenError } from '../../errors.ts'
import { systemClock } from '../../peer/index.ts'
import type { CallHandler, Clock, PeerId } from '../../peer/index.ts'
import { codecOf } from '../block-id.ts'
import {
  FIRST_MESSAGE_BYTES,
  MESSAGE_BLOCKS_MAX,
  MESSAGE_BYTES,
  READ_AHEAD_BYTES_MAX
} from './limits.ts'
import { MISSING, decodeWant, encodeAnswer } from './messages.ts'
import type { BlockWant, LinksWithin } from './messages.ts'
import { GivingWay } from './giving-way.ts'
import { ByteBudget, ReadsAhead } from './reads-ahead.ts'
import { ServingTurns } from './serving-turns.ts'
import { walkOfWant } from './subtree-walk.ts'

export interface ServeBlocksOptions {
  /** Default `systemClock`. */
  readonly clock?: Clock
  /** Whether this peer may have this block; a refused block is reported missing. Default: any peer may have any. */
  readonly mayServe?: ((id: BlockId, to: PeerId) => boolean) | undefined
  /** Bytes that all answers together may hold read ahead. Default `READ_AHEAD_BYTES_MAX`. */
  readonly readAheadBytesMax?: number | undefined
  /** How nodes are read, for wants of a range of keys. Default: those get the first node only. */
  readonly linksWithin?: LinksWithin | undefined
  /** Told of each message once it was taken from us. */
  readonly onSent?: ((to: PeerId, sent: { blocks: number; bytes: number }) => void) | undefined
}

interface Walk {
  next(): BlockId | undefined
  enter(id: BlockId, bytes: Uint8Array): void
  upcoming(count: number, nodesMax: number): readonly BlockId[]
}

/** The handler of `BLOCKS_PROTOCOL`. */
export function createBlocksHandler(
  store: Pick<BlockStore, 'get'>,
  options: ServeBlocksOptions = {}
): CallHandler {
  const budget = new ByteBudget(options.readAheadBytesMax ?? READ_AHEAD_BYTES_MAX)
  const turns = new ServingTurns()
  const givingWay = new GivingWay(options.clock ?? systemClock)
  const { mayServe, onSent, linksWithin } = options

  return async function* serveBlocks(request, { from, signal }) {
    const want = servable(decodeWant(request), linksWithin)
    const walk = want.kind === 'blocks' ? new ListWalk(want.ids) : walkOfWant(want, linksWithin)
    const giveTurn = await turns.take(from, signal)
    const mayRead = (id: BlockId): boolean => mayServe?.(id, from) ?? true
    const reads = new ReadsAhead(store, budget, { signal, mayRead })
    try {
      for await (const message of new AnswerWriter(want, walk, { reads, signal })) {
        const { lengths, payload, bytes, more, last } = message
        if (want.background === true) await givingWay.wait(bytes, signal)
        else givingWay.sent(bytes)
        yield { ...encodeAnswer(lengths, { payload, more }), last }
        onSent?.(from, { blocks: payload.length, bytes })
      }
    } finally {
      reads.close()
      giveTurn()
    }
  }
}

/** Who cannot read nodes sends the first one of a range, and cuts the answer there. */
function servable(want: BlockWant, linksWithin: LinksWithin | undefined): BlockWant {
  if (want.kind === 'blocks' || want.within === undefined || linksWithin !== undefined) return want
  const { within: _, ...whole } = want
  return { ...whole, bytesMax: 1 }
}

/** A message being filled, up to this many bytes. */
class Batch {
  readonly bytesMax: number
  readonly lengths: number[] = []
  readonly payload: Uint8Array[] = []
  bytes = 0
  more = false
  last = false

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  /** The message after this one. */
  next(): Batch {
    return new Batch(Math.min(2 * this.bytesMax, MESSAGE_BYTES))
  }

  add(bytes: Uint8Array | undefined): void {
    this.lengths.push(bytes?.length ?? MISSING)
    if (bytes === undefined) return
    this.payload.push(bytes)
    this.bytes += bytes.length
  }

  isFullFor(bytes: Uint8Array | undefined): boolean {
    const { length } = this.lengths
    if (length === 0) return false
    return length >= MESSAGE_BLOCKS_MAX || this.bytes + (bytes?.length ?? 0) > this.bytesMax
  }
}

class AnswerWriter {
  readonly #want: BlockWant
  readonly #reads: ReadsAhead
  readonly #signal: AbortSignal
  readonly #walk: Walk

  constructor(
    want: BlockWant,
    walk: Walk,
    { reads, signal }: { readonly reads: ReadsAhead; readonly signal: AbortSignal }
  ) {
    this.#want = want
    this.#walk = walk
    this.#reads = reads
    this.#signal = signal
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    const walk = this.#walk
    const bytesMax = (this.#want.kind === 'subtree' ? this.#want.bytesMax : undefined) ?? Infinity
    await this.#skip()
    let batch = new Batch(FIRST_MESSAGE_BYTES)
    let sent = 0
    for (let id = walk.next(); id !== undefined; id = walk.next()) {
      if (sent >= bytesMax && sent > 0) {
        batch.more = true
        break
      }
      const read = this.#reads.take(id)
      this.#reads.fill(walk)
      if (!read.settled) {
        // What is ready travels while the disk works, unless it is hardly worth a message.
        if (batch.bytes >= batch.bytesMax / 4) {
          yield batch
          batch = batch.next()
        }
        await read.done
      }
      this.#signal.throwIfAborted()
      if (batch.isFullFor(read.bytes)) {
        yield batch
        batch = batch.next()
      }
      batch.add(read.bytes)
      if (read.bytes === undefined) continue
      sent += read.bytes.length
      walk.enter(id, read.bytes)
    }
    batch.last = true
    if (batch.lengths.length > 0) yield batch
  }

  /** Passes what the asker has; nodes have to be read for their links. */
  async #skip(): Promise<void> {
    let left = this.#want.kind === 'subtree' ? (this.#want.after ?? 0) : 0
    for (; left > 0; left--) {
      const id = this.#walk.next()
      if (id === undefined) return
      if (codecOf(id) === 'raw') continue
      const read = this.#reads.take(id)
      if (!read.settled) await read.done
      this.#signal.throwIfAborted()
      if (read.bytes === undefined) {
        throw new WarrenError('ENOENT', { message: `block ${id}, a node among those left out` })
      }
      this.#walk.enter(id, read.bytes)
    }
  }
}

/** The order of a list of ids: the list's. */
class ListWalk implements Walk {
  readonly #ids: readonly BlockId[]
  #position = 0

  constructor(ids: readonly BlockId[]) {
    this.#ids = ids
  }

  next(): BlockId | undefined {
    return this.#ids[this.#position++]
  }

  enter(): void {}

  upcoming(count: number): readonly BlockId[] {
    return this.#ids.slice(this.#position, this.#position + count)
  }
}
