/**
 * Decides who is asked for what: pure planning over the wants that wait, the sources there are and
 * the asks under way. Nothing is sent here.
 */
import { Ask } from './ask.ts'
import type { Want } from './ask.ts'
import {
  ASKS_PER_WANT_MAX,
  RESCUE_BYTES,
  RESCUE_MS_MIN,
  SLICE_BYTES,
  WANT_IDS_MAX
} from './limits.ts'
import type { SourceChoice } from './source-choice.ts'
import type { Source } from './source.ts'

export interface PlanOptions {
  readonly now: number
  /** What a block is expected to have. */
  readonly blockBytes: number
}

export interface Plan {
  readonly asks: Iterable<Ask>
  /** Wants that nobody can be asked for now. */
  readonly waiting: readonly Want[]
}

/** Shares wants out, one ask a source at most; runs of wants stay together. */
export function planAsks(
  queue: readonly Want[],
  choice: SourceChoice,
  { now, blockBytes }: PlanOptions
): Plan {
  const asks = new Map<Source, Ask>()
  const waiting: Want[] = []
  let ask: Ask | undefined
  let sliceLeft = 0
  for (const want of queue) {
    if (want.done || !want.queued) continue
    const goesOn =
      sliceLeft > 0 && ask !== undefined && !isFull(ask) && choice.mayAsk(ask.source, want)
    if (!goesOn) {
      ask = undefined
      const source = choice.choose(want, blockBytes)
      if (source !== undefined) {
        ask = asks.get(source) ?? new Ask(source, { now, bytesEach: blockBytes })
        sliceLeft = SLICE_BYTES
      }
    }
    if (ask === undefined || isFull(ask)) {
      waiting.push(want)
      continue
    }
    asks.set(ask.source, ask)
    want.queued = false
    ask.add(want)
    sliceLeft -= blockBytes
  }
  return { asks: asks.values(), waiting }
}

function isFull(ask: Ask): boolean {
  return ask.wants.length >= WANT_IDS_MAX
}

/** Asks sources that have nothing to do for what slower ones will not have sent for long. */
export function planRescue(
  underWay: Iterable<Ask>,
  choice: SourceChoice,
  { now, blockBytes }: PlanOptions
): Ask[] {
  const asks = [...underWay].filter(ask => now - ask.startedAt >= RESCUE_MS_MIN)
  if (asks.length === 0) return []
  const rescues = choice.idle().map(source => {
    const rescue = new Ask(source, { now, bytesEach: blockBytes })
    let left = RESCUE_BYTES
    for (const ask of asks) {
      if (!isMuchFaster(source, ask.source, now)) continue
      for (let i = ask.answered; i < ask.wants.length && left > 0; i++) {
        const want = ask.wants[i]!
        if (want.done || want.asks.length >= ASKS_PER_WANT_MAX) continue
        if (!choice.mayAsk(source, want)) continue
        rescue.add(want)
        left -= blockBytes
      }
    }
    return rescue
  })
  return rescues.filter(rescue => rescue.wants.length > 0)
}

/** Half the time is worth asking twice; less gain is not worth the traffic. */
function isMuchFaster(idle: Source, busy: Source, now: number): boolean {
  if (idle === busy) return false
  const owedMs = Math.max(busy.finishMs(0), now - busy.heardAt)
  return owedMs >= 2 * idle.finishMs(Math.min(RESCUE_BYTES, busy.expectedBytes))
}
