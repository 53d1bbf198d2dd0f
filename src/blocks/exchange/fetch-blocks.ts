/**
 * The half of the block exchange that asks: calls one peer and believes nothing. What it yields has
 * been checked against the want: the right blocks, in the right order, with the right hashes.
 */
import { digestOf } from '../block-id.ts'
import type { BlockId } from '../block-id.ts'
import { sha256 } from '../sha256.ts'
import { WarrenError } from '../../errors.ts'
import type { CallOptions, IncomingMessage, Peer, PeerId } from '../../peer/index.ts'
import { COPIED_SHARE, VERIFYING_BYTES_MAX } from './limits.ts'
import { BLOCKS_PROTOCOL, MISSING, decodeAnswer, encodeWant } from './messages.ts'
import type { BlockWant, LinksWithin, SubtreeWant } from './messages.ts'
import { walkOfWant } from './subtree-walk.ts'
import type { SubtreeWalk } from './subtree-walk.ts'

export interface FetchedBlock {
  readonly id: BlockId
  /** `undefined`: the source does not have it. */
  readonly bytes: Uint8Array | undefined
}

export interface FetchOptions extends CallOptions {
  /** Told when the answer ends before the want does, because of the want's `bytesMax`. */
  readonly onCut?: (() => void) | undefined
  /** For a want with `within`: how nodes are read. */
  readonly linksWithin?: LinksWithin | undefined
  /** For a want with `after`: a walk of the same subtree that has passed as many blocks. */
  readonly walk?: SubtreeWalk | undefined
}

/**
 * Fetches blocks from one source. Yields what each message brought, in the order of the want.
 * Throws `EPROTO` when the source broke the protocol, `EBADMSG` when it sent wrong bytes, `EFBIG`
 * for a subtree beyond all measure, and what `Peer.call` throws; before that it yields everything
 * that was right.
 */
export async function* fetchBlocks(
  peer: Pick<Peer, 'call'>,
  source: PeerId,
  want: BlockWant,
  options: FetchOptions = {}
): AsyncGenerator<readonly FetchedBlock[], void, undefined> {
  const { onCut, walk, linksWithin, ...callOptions } = options
  const expected =
    want.kind === 'blocks'
      ? new ListAnswer(want.ids)
      : new SubtreeAnswer(want, walk ?? walkOf(want, linksWithin))
  const messages = peer
    .call(source, BLOCKS_PROTOCOL, encodeWant(want), callOptions)
    [Symbol.asyncIterator]()
  const pull = (): Promise<IteratorResult<IncomingMessage>> => {
    const result = messages.next()
    // It may never be waited for, when an earlier message turns out to be wrong.
    result.catch(() => {})
    return result
  }
  /** Batches whose hashes are being computed, oldest first. */
  const verifying: Verifying[] = []
  let verifyingBytes = 0
  let next = pull()
  let failure: unknown
  let ended = false
  /** The call ended by itself. */
  let over = false
  try {
    while (!ended || verifying.length > 0) {
      const oldest = verifying[0]
      const mustVerify = ended || verifyingBytes >= VERIFYING_BYTES_MAX
      if (oldest !== undefined && !oldest.settled) {
        await (mustVerify ? oldest.done : Promise.race([oldest.done, next.catch(() => {})]))
      }
      if (oldest?.settled === true) {
        verifying.shift()
        verifyingBytes -= oldest.bytes
        yield await oldest.blocks
      } else if (!mustVerify) {
        const batch: FetchedBlock[] = []
        try {
          const result = await next
          if (result.done === true) {
            ended = true
            over = true
            expected.end()
          } else {
            receive(result.value, expected, batch)
            next = pull()
          }
        } catch (error) {
          failure = error
          ended = true
        }
        if (batch.length > 0) {
          const entry = new Verifying(batch)
          verifying.push(entry)
          verifyingBytes += entry.bytes
        }
      }
    }
    if (failure !== undefined) throw failure
    if (expected.isCut) onCut?.()
  } finally {
    // Not waited for: a silent source would keep us from leaving.
    if (!over) void Promise.resolve(messages.return?.()).catch(() => {})
  }
}

class Verifying {
  readonly bytes: number
  readonly blocks: Promise<readonly FetchedBlock[]>
  /** Never rejects. */
  readonly done: Promise<void>
  settled = false

  constructor(batch: readonly FetchedBlock[]) {
    this.bytes = batch.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0)
    this.blocks = verifyAll(batch)
    const settle = (): void => {
      this.settled = true
    }
    this.done = this.blocks.then(settle, settle)
  }
}

async function verifyAll(batch: readonly FetchedBlock[]): Promise<readonly FetchedBlock[]> {
  await Promise.all(batch.map(verify))
  return batch
}

async function verify({ id, bytes }: FetchedBlock): Promise<void> {
  if (bytes === undefined) return
  const digest = await sha256(bytes)
  const wanted = digestOf(id)
  for (let i = 0; i < wanted.length; i++) {
    if (digest[i] !== wanted[i]) throw new WarrenError('EBADMSG', { message: `block ${id}` })
  }
}

/** Cuts a message into the blocks that are due, without copying the large ones. */
function receive(message: IncomingMessage, expected: Expected, batch: FetchedBlock[]): void {
  const { payload } = message
  const { lengths, more } = decodeAnswer(message)
  let at = 0
  for (const length of lengths) {
    const id = expected.next()
    if (id === undefined) refuse('sent more blocks than were wanted')
    if (length === MISSING) {
      batch.push({ id, bytes: undefined })
      continue
    }
    const end = at + length
    const copied = length * COPIED_SHARE < payload.length
    const bytes = copied ? payload.slice(at, end) : payload.subarray(at, end)
    batch.push({ id, bytes })
    expected.enter(id, bytes)
    at = end
  }
  if (more) expected.cut()
}

/** What must come: mirrors the walk of the other side. */
interface Expected {
  readonly isCut: boolean
  next(): BlockId | undefined
  enter(id: BlockId, bytes: Uint8Array): void
  /** The source says that it cut the answer here. */
  cut(): void
  /** The answer has ended. */
  end(): void
}

class ListAnswer implements Expected {
  readonly isCut = false
  readonly #ids: readonly BlockId[]
  #position = 0

  constructor(ids: readonly BlockId[]) {
    this.#ids = ids
  }

  next(): BlockId | undefined {
    return this.#ids[this.#position++]
  }

  enter(): void {}

  cut(): void {
    refuse('cut an answer to a list')
  }

  end(): void {
    if (this.#position >= this.#ids.length) return
    refuse(`ended its answer after ${this.#position} of ${this.#ids.length} blocks`)
  }
}

function walkOf(want: SubtreeWant, linksWithin: LinksWithin | undefined): SubtreeWalk {
  if ((want.after ?? 0) > 0) {
    throw new TypeError('a want that leaves out blocks needs a walk that has passed them')
  }
  return walkOfWant(want, linksWithin)
}

/**
 * Follows the links of nodes as they arrive, before their hashes are known to be right: when one is
 * not, everything after it is refused with it.
 */
class SubtreeAnswer implements Expected {
  readonly #bytesMax: number
  #bytes = 0
  readonly #walk: SubtreeWalk
  isCut = false

  constructor(want: SubtreeWant, walk: SubtreeWalk) {
    this.#bytesMax = want.bytesMax ?? Infinity
    this.#walk = walk
  }

  next(): BlockId | undefined {
    if (this.isCut) refuse('went on after it had cut its answer')
    if (this.#bytes > 0 && this.#bytes >= this.#bytesMax) refuse('sent more than it was to send')
    return this.#walk.next()
  }

  enter(id: BlockId, bytes: Uint8Array): void {
    this.#bytes += bytes.length
    this.#walk.enter(id, bytes)
  }

  cut(): void {
    if (this.#bytesMax === Infinity) refuse('cut an answer that has no limit')
    this.isCut = true
  }

  end(): void {
    if (!this.isCut && this.#walk.next() !== undefined) refuse('ended its answer too early')
  }
}

function refuse(why: string): never {
  throw new WarrenError('EPROTO', { message: `a source of blocks ${why}` })
}
