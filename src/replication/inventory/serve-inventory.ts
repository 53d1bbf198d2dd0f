/** The half of comparing inventories that answers: see `inventory-messages.ts` for what is said. */
import { BLOCK_ID_BYTES, blockIdToBytes } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import { shareEventLoop } from '../../namespace/index.ts'
import type { CallHandler, Clock, PeerId } from '../../peer/index.ts'
import { Allowances } from '../allowances.ts'
import type { Inventory } from './inventory.ts'
import { KEY_WORDS, idsOf } from './inventory-key.ts'
import {
  ANSWER_IDS_MAX,
  NEW_SALTS_BURST,
  NEW_SALTS_PER_SECOND,
  RANGE_PARTS_MAX,
  REQUEST_PARTS_MAX
} from './inventory-limits.ts'
import { decodeInventoryRequest, encodeInventoryAnswer } from './inventory-messages.ts'
import type { ListRequest, RangeRequest, RangeResult } from './inventory-messages.ts'
import { placeOf } from './inventory-view.ts'
import type { InventoryFilter, InventoryView } from './inventory-view.ts'

/** What two peers compare. Both sides must come to the same filter for the same name. */
export interface InventoryScope {
  readonly inventory: Inventory
  /** Which of its ids count: those of a volume that placement gives to one of the two, say. Default: all. */
  readonly filter?: InventoryFilter | undefined
}

export interface ServeInventoryComponents {
  readonly clock: Pick<Clock, 'now'>
  /** What a peer may compare under a name; `undefined`: nothing, and it gets `ENOENT`. */
  readonly scopeOf: (name: string, from: PeerId) => Promise<InventoryScope | undefined>
}

/** The handler of the verb `inventory`. */
export function createInventoryHandler({ clock, scopeOf }: ServeInventoryComponents): CallHandler {
  const newSalts = new Allowances(clock, {
    burst: NEW_SALTS_BURST,
    perSecond: NEW_SALTS_PER_SECOND
  })

  return async function* serveInventory({ body }, { from, signal }) {
    const { scope: name, salt, ranges } = decodeInventoryRequest(body)
    const scope = await scopeOf(name, from)
    if (scope === undefined) throw new WarrenError('ENOENT', { message: 'nothing of this name' })
    const { inventory, filter } = scope
    if (!inventory.hasView({ salt, filter }) && !newSalts.take(from, 1)) {
      throw new WarrenError('EBUSY', { message: `${from} brings too many salts` })
    }
    const view = inventory.view({ salt, filter })
    await view.prepare({ signal })
    await shareEventLoop()
    signal.throwIfAborted()
    yield { body: encodeInventoryAnswer(new AnswerMaker(view).answer(ranges)) }
  }
}

/** Fills one message. */
class AnswerMaker {
  readonly #view: InventoryView
  #idsLeft = ANSWER_IDS_MAX
  #partsLeft = REQUEST_PARTS_MAX

  constructor(view: InventoryView) {
    this.#view = view
  }

  answer(ranges: readonly RangeRequest[]): RangeResult[] {
    return ranges.map(range => (range.kind === 'list' ? this.#list(range) : this.#split(range)))
  }

  #split({ range, parts, fingerprint }: RangeRequest & { kind: 'split' }): RangeResult {
    if (fingerprint !== undefined) {
      const own = this.#view.total(range).fingerprint
      if (own[0] === fingerprint[0] && own[1] === fingerprint[1]) return { kind: 'same' }
    }
    return { kind: 'parts', parts: this.#view.split(range, parts) }
  }

  #list(request: ListRequest): RangeResult {
    const { range, tags } = request
    const count = this.#view.count(range)
    if (count > ANSWER_IDS_MAX) {
      if (this.#partsLeft < RANGE_PARTS_MAX) return { kind: 'again' }
      this.#partsLeft -= RANGE_PARTS_MAX
      return { kind: 'parts', parts: this.#view.split(range, RANGE_PARTS_MAX) }
    }
    if (count > this.#idsLeft) return { kind: 'again' }
    this.#idsLeft -= count
    if (tags.length === 0) return { kind: 'list', ids: joinIds(this.#view.keys(range)), lacks: [] }
    const ours = this.#view.tags(range)
    const missing = missingFrom(ours, tags)
    const keys = missing.length === 0 ? NO_KEYS : this.#view.keys(range)
    const chosen = missing.map(place => keys.subarray(place * KEY_WORDS, (place + 1) * KEY_WORDS))
    return { kind: 'list', ids: join(chosen.map(joinIds)), lacks: missingFrom(tags, ours) }
  }
}

const NO_KEYS = new Uint32Array(0)

/** The places of the tags of one list that the other has not. One of them is short: no set is worth it. */
function missingFrom(list: Uint32Array, other: Uint32Array): number[] {
  const missing: number[] = []
  for (let place = 0; 2 * place < list.length; place++) {
    if (placeOf(other, list[2 * place]!, list[2 * place + 1]!) === -1) missing.push(place)
  }
  return missing
}

function joinIds(keys: Uint32Array): Uint8Array {
  return join(idsOf(keys).map(blockIdToBytes))
}

function join(ids: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(ids.length * BLOCK_ID_BYTES)
  ids.forEach((id, index) => joined.set(id, index * BLOCK_ID_BYTES))
  return joined
}
