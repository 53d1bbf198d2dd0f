/**
 * Descents: a reader that looks for keys in a tree asks one source for a node and for what leads
 * from there to the keys, in one want. What comes is kept like every fetched block, so who goes
 * down finds the next node here. The source is only trusted to be quick: what it does not send, or
 * not soon, is asked for in the usual way.
 */
import { codecOf } from '../block-id.ts'
import type { BlockId } from '../block-id.ts'
import type { Descent } from '../block-store.ts'
import type { Clock, Peer } from '../../peer/index.ts'
import { fetchBlocks } from './fetch-blocks.ts'
import type { FetchedBlock } from './fetch-blocks.ts'
import type { Lacks } from './lacks.ts'
import { DESCENT_BYTES_MAX, FIRST_MESSAGE_BYTES } from './limits.ts'
import type { Lookup } from './local-first.ts'
import type { LinksWithin, SubtreeWant } from './messages.ts'
import type { Source } from './source.ts'
import type { Transfers } from './transfers.ts'
import type { WriteBehind } from './write-behind.ts'

/** An inner node and a leaf, or a leaf and a block of data, in bytes: mostly one message. */
const EXPECTED_BYTES = FIRST_MESSAGE_BYTES

export interface DescentsComponents {
  readonly peer: Pick<Peer, 'call'>
  readonly clock: Clock
  readonly lacks: Lacks
  readonly writeBehind: WriteBehind
  readonly transfers: Transfers
  readonly linksWithin: LinksWithin
  /** Whom to ask for a block now; `undefined` for nobody. */
  readonly bestSource: (id: BlockId) => Source | undefined
  /** Takes what no descent brings. */
  readonly otherwise: (lookup: Lookup) => void
  /** Told when each begins and when it has ended. */
  readonly onActive: (active: boolean) => void
}

export class Descents {
  readonly #components: DescentsComponents
  readonly #stallMs: number
  readonly #underWay = new Map<Descent, DescentUnderWay>()

  constructor(components: DescentsComponents, { stallMs }: { readonly stallMs: number }) {
    this.#components = components
    this.#stallMs = stallMs
  }

  /** Whether the block is going to come by a descent, or be handed on when it does not. */
  take(lookup: Lookup): boolean {
    const { id, descent } = lookup
    if (descent === undefined) return false
    const underWay = this.#underWay.get(descent)
    if (underWay !== undefined) {
      underWay.wait(lookup)
      return true
    }
    if (codecOf(id) === 'raw') return false
    const source = this.#components.bestSource(id)
    if (source === undefined) return false
    void this.#run(descent, new DescentUnderWay(this.#components, source), lookup)
    return true
  }

  /** Everything that is waited for is handed on. */
  stop(): void {
    for (const underWay of this.#underWay.values()) underWay.stop()
  }

  async #run(descent: Descent, underWay: DescentUnderWay, lookup: Lookup): Promise<void> {
    const { onActive, otherwise } = this.#components
    this.#underWay.set(descent, underWay)
    underWay.wait(lookup)
    onActive(true)
    await underWay.run({ root: lookup.id, descent, stallMs: this.#stallMs })
    this.#underWay.delete(descent)
    // Before the rest is handed on: where all has been stopped, what begins anew is stopped again.
    onActive(false)
    for (const left of underWay.left()) otherwise(left)
  }
}

class DescentUnderWay {
  readonly #components: DescentsComponents
  readonly #source: Source
  readonly #controller = new AbortController()
  readonly #waiting = new Map<BlockId, Lookup[]>()

  constructor(components: DescentsComponents, source: Source) {
    this.#components = components
    this.#source = source
  }

  wait(lookup: Lookup): void {
    // It may have come while the store was looked into.
    const bytes = this.#components.writeBehind.get(lookup.id)
    if (bytes !== undefined) return lookup.take(bytes)
    const others = this.#waiting.get(lookup.id)
    if (others === undefined) this.#waiting.set(lookup.id, [lookup])
    else others.push(lookup)
  }

  stop(): void {
    this.#controller.abort()
  }

  /** Who has got nothing and still waits. */
  left(): Lookup[] {
    return [...this.#waiting.values()].flat().filter(({ cancelled }) => !cancelled)
  }

  /** Never rejects. */
  async run(way: {
    readonly root: BlockId
    readonly descent: Descent
    readonly stallMs: number
  }): Promise<void> {
    const { peer, clock, writeBehind, linksWithin } = this.#components
    const source = this.#source
    const { signal } = this.#controller
    const startTimer = (): (() => void) => {
      return clock.after(source.silenceMs(way.stallMs, EXPECTED_BYTES), () => this.stop())
    }
    source.began(clock.now())
    source.expectedBytes += EXPECTED_BYTES
    let cancelTimer = startTimer()
    try {
      const options = { signal, linksWithin }
      for await (const batch of fetchBlocks(peer, source.id, wantOf(way), options)) {
        cancelTimer()
        this.#receive(batch)
        await writeBehind.untilRoom()
        cancelTimer = startTimer()
      }
    } catch (error) {
      if (!signal.aborted) source.failed(error, clock.now())
    } finally {
      cancelTimer()
      source.expectedBytes -= EXPECTED_BYTES
      source.ended()
    }
  }

  #receive(batch: readonly FetchedBlock[]): void {
    const { clock, lacks, writeBehind, transfers } = this.#components
    const now = clock.now()
    const { id: source } = this.#source
    let blocks = 0
    let received = 0
    for (const { id, bytes } of batch) {
      if (bytes === undefined) {
        lacks.add(source, id, now)
        continue
      }
      blocks++
      received += bytes.length
      writeBehind.put({ id, bytes })
      const waiting = this.#waiting.get(id) ?? []
      this.#waiting.delete(id)
      for (const lookup of waiting) lookup.take(bytes)
    }
    this.#source.heard(received, now)
    if (blocks > 0) transfers.received(source, { blocks, bytes: received })
  }
}

function wantOf({
  root,
  descent
}: {
  readonly root: BlockId
  readonly descent: Descent
}): SubtreeWant {
  const nodesOnly = !descent.data
  return { kind: 'subtree', root, nodesOnly, within: descent, bytesMax: DESCENT_BYTES_MAX }
}
