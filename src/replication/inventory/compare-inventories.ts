/**
 * The half of comparing inventories that asks, leads and remembers: splits what differs into ever
 * shorter ranges until the ids that one side lacks are told one by one. Believes nothing: what a
 * holder says is checked for shape, order and measure before it is used, and the work that it
 * causes is bounded by the number of blocks that it claims.
 */
import { BLOCK_ID_BYTES, blockIdFromBytes } from '../../blocks/index.ts'
import type { BlockId } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import { shareEventLoop } from '../../namespace/index.ts'
import type { Peer, PeerId } from '../../peer/index.ts'
import { REPLICAS_PROTOCOL } from '../replicas-protocol.ts'
import { DIGEST_WORDS, KEY_WORDS, boundAfter, idOf, idsOf } from './inventory-key.ts'
import type { KeyRange } from './inventory-key.ts'
import {
  ANSWER_IDS_MAX,
  IDS_PER_RANGE,
  LISTED_IDS_MIN,
  LISTED_TAGS_MAX,
  RANGES_SPARE,
  RANGE_PARTS_MAX,
  RANGE_PARTS_MIN,
  REQUESTS_AT_ONCE,
  REQUEST_PARTS_MAX,
  REQUEST_RANGES_MAX,
  STEPS_MAX
} from './inventory-limits.ts'
import { decodeInventoryAnswer, encodeInventoryRequest } from './inventory-messages.ts'
import type { ListRequest, RangeRequest, RangeResult } from './inventory-messages.ts'
import { placeOf } from './inventory-view.ts'
import type { InventoryFilter, InventoryView, RangePart } from './inventory-view.ts'
import type { Inventory } from './inventory.ts'

export interface InventoryDifference {
  /** The holder lacks these. */
  readonly onlyHere: readonly BlockId[]
  /** We lack these. */
  readonly onlyThere: readonly BlockId[]
}

export interface InventoryQuestion {
  readonly holder: PeerId
  /** The name of what is compared, as the holder knows it. */
  readonly scope: string
  readonly inventory: Inventory
  readonly filter?: InventoryFilter | undefined
  readonly salt: Uint8Array
}

/** A range that differs. */
interface OpenRange {
  readonly range: KeyRange
  readonly ours: number
  readonly theirs: number
  /** How often it was split. */
  readonly steps: number
}

interface Batch {
  readonly open: readonly OpenRange[]
  readonly requests: readonly RangeRequest[]
}

const WHOLE: KeyRange = { from: undefined, to: undefined }

/** Ids a difference is told in at a time, when one side has all of them. */
const DIFFERENCE_IDS = 4096

/** Parts that one step asks for while few ranges differ: 30 KB of answers. */
const STEP_PARTS = 2048

/** Ids of a part that is to be listed next. */
const LISTED_IDS = 24

/**
 * Tells what differs, bit by bit; memory is bounded however much that is. Throws `EPROTO` when the
 * holder breaks the protocol, and what `Peer.call` throws.
 */
export async function* compareInventories(
  peer: Pick<Peer, 'call'>,
  question: InventoryQuestion,
  { signal }: { readonly signal: AbortSignal }
): AsyncGenerator<InventoryDifference, void, undefined> {
  const { inventory, salt, filter } = question
  const view = inventory.view({ salt, filter })
  await view.prepare({ signal })
  const comparison = new Comparison(peer, { ...question, view, signal })
  yield* comparison.run()
}

class Comparison {
  readonly #peer: Pick<Peer, 'call'>
  readonly #question: InventoryQuestion & {
    readonly view: InventoryView
    readonly signal: AbortSignal
  }
  /** The last is asked for first, so that few ranges are open at a time. */
  readonly #open: OpenRange[] = []
  #rangesLeft = 0

  constructor(
    peer: Pick<Peer, 'call'>,
    question: InventoryQuestion & { readonly view: InventoryView; readonly signal: AbortSignal }
  ) {
    this.#peer = peer
    this.#question = question
  }

  async *run(): AsyncGenerator<InventoryDifference, void, undefined> {
    yield* this.#begin()
    while (this.#open.length > 0) {
      const batches: Batch[] = []
      while (this.#open.length > 0 && batches.length < REQUESTS_AT_ONCE) batches.push(this.#batch())
      const answers = await Promise.all(batches.map(({ requests }) => this.#ask(requests)))
      for (const [index, results] of answers.entries()) {
        await shareEventLoop()
        yield* this.#take(batches[index]!, results)
      }
    }
  }

  async *#begin(): AsyncGenerator<InventoryDifference, void, undefined> {
    const { count, fingerprint } = this.#question.view.total()
    const request = { kind: 'split', range: WHOLE, parts: RANGE_PARTS_MAX, fingerprint } as const
    const [result] = await this.#ask([request])
    if (result?.kind !== 'parts') return
    const theirs = result.parts.reduce((sum, part) => sum + part.count, 0)
    this.#rangesLeft = RANGES_SPARE + Math.ceil((count + theirs) / IDS_PER_RANGE)
    yield* this.#judge(result.parts, 1)
  }

  /** Takes ranges off the open ones, as many as one message may ask for. */
  #batch(): Batch {
    const open: OpenRange[] = []
    const requests: RangeRequest[] = []
    let partsLeft = REQUEST_PARTS_MAX
    let idsLeft = ANSWER_IDS_MAX
    const fair = Math.floor(STEP_PARTS / this.#open.length)
    const partsMax = Math.min(RANGE_PARTS_MAX, Math.max(RANGE_PARTS_MIN, fair))
    for (let range = this.#open.at(-1); range !== undefined; range = this.#open.at(-1)) {
      const request = this.#requestFor(range, partsMax)
      if (request.kind === 'list') idsLeft -= range.theirs
      else partsLeft -= request.parts
      const isFull = requests.length === REQUEST_RANGES_MAX || idsLeft < 0 || partsLeft < 0
      if (isFull && requests.length > 0) break
      this.#open.pop()
      open.push(range)
      requests.push(request)
    }
    if ((this.#rangesLeft -= requests.length) < 0) refuse('splits what it has without end')
    return { open, requests }
  }

  #requestFor({ range, ours, theirs }: OpenRange, partsMax: number): RangeRequest {
    const isWorthIds = ours === 0 || theirs <= LISTED_IDS_MIN
    if (theirs <= ANSWER_IDS_MAX / 2 && isWorthIds) {
      return { kind: 'list', range, tags: new Uint32Array(0) }
    }
    if (theirs <= ANSWER_IDS_MAX / 2 && ours <= LISTED_TAGS_MAX) {
      const tags = this.#question.view.tags(range)
      // Blocks may have come since we counted.
      if (tags.length > 0 && tags.length <= 2 * LISTED_TAGS_MAX)
        return { kind: 'list', range, tags }
    }
    const parts = Math.max(2, Math.min(partsMax, Math.ceil(theirs / LISTED_IDS)))
    return { kind: 'split', range, parts }
  }

  async *#take(
    { open, requests }: Batch,
    results: readonly RangeResult[]
  ): AsyncGenerator<InventoryDifference, void, undefined> {
    const onlyHere: BlockId[] = []
    const onlyThere: BlockId[] = []
    for (const [index, result] of results.entries()) {
      const range = open[index]!
      if (result.kind === 'again') this.#open.push(range)
      if (result.kind === 'parts') yield* this.#judge(result.parts, range.steps + 1)
      if (result.kind !== 'list') continue
      const ids = this.#readIds(result.ids)
      onlyThere.push(...ids.filter(id => !this.#question.inventory.has(id)))
      const request = requests[index]!
      if (request.kind !== 'list') continue
      if (request.tags.length === 0) yield* this.#allHere(range.range, new Set(ids))
      else onlyHere.push(...this.#idsBehind(request, result.lacks))
    }
    if (onlyHere.length + onlyThere.length > 0) yield { onlyHere, onlyThere }
  }

  /** The ids of these places among the tags, as far as we still have them. */
  #idsBehind({ range, tags }: ListRequest, places: readonly number[]): BlockId[] {
    if (places.length === 0) return []
    const now = this.#question.view.tags(range)
    const keys = this.#question.view.keys(range)
    const ids: BlockId[] = []
    for (const place of places) {
      const found = placeOf(now, tags[2 * place]!, tags[2 * place + 1]!)
      if (found === -1) continue
      const at = found * KEY_WORDS
      ids.push(idOf(keys, at, keys[at + DIGEST_WORDS]!))
    }
    return ids
  }

  /** Which parts differ. */
  async *#judge(
    parts: readonly RangePart[],
    steps: number
  ): AsyncGenerator<InventoryDifference, void, undefined> {
    if (steps > STEPS_MAX) refuse(`splits a range more than ${STEPS_MAX} times`)
    for (const { range, count: theirs, fingerprint } of parts) {
      const own = this.#question.view.total(range)
      const isEqual = own.fingerprint[0] === fingerprint[0] && own.fingerprint[1] === fingerprint[1]
      if (isEqual && own.count === theirs) continue
      if (theirs === 0) yield* this.#allHere(range, new Set())
      else this.#open.push({ range, ours: own.count, theirs, steps })
    }
  }

  /** The holder has nothing in this range but these. */
  async *#allHere(
    range: KeyRange,
    except: ReadonlySet<BlockId>
  ): AsyncGenerator<InventoryDifference, void, undefined> {
    for (let { from } = range; ;) {
      const keys = this.#question.view.keys({ from, to: range.to }, DIFFERENCE_IDS)
      const onlyHere = idsOf(keys).filter(id => !except.has(id))
      if (onlyHere.length > 0) yield { onlyHere, onlyThere: [] }
      if (keys.length < DIFFERENCE_IDS * KEY_WORDS) return
      from = boundAfter(keys.subarray(-KEY_WORDS))
      await shareEventLoop()
      this.#question.signal.throwIfAborted()
    }
  }

  #readIds(bytes: Uint8Array): BlockId[] {
    const { filter } = this.#question
    const ids: BlockId[] = []
    for (let at = 0; at < bytes.length; at += BLOCK_ID_BYTES) {
      const id = blockIdFromBytes(bytes.subarray(at, at + BLOCK_ID_BYTES))
      if (filter !== undefined && !filter.includes(id))
        refuse('tells of a block that does not count')
      ids.push(id)
    }
    return ids
  }

  async #ask(ranges: readonly RangeRequest[]): Promise<RangeResult[]> {
    const { holder, scope, salt, signal } = this.#question
    const body = encodeInventoryRequest({ scope, salt, ranges })
    let results: RangeResult[] | undefined
    for await (const answer of this.#peer.call(holder, REPLICAS_PROTOCOL, { body }, { signal })) {
      if (results !== undefined) refuse('answers one question twice')
      results = decodeInventoryAnswer(answer.body, ranges)
    }
    return results ?? refuse('ends without an answer')
  }
}

function refuse(why: string): never {
  throw new WarrenError('EPROTO', { message: `a holder ${why}` })
}
