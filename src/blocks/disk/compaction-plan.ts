/** Which segments to write anew next. */
import { SEGMENT_RECORDS_MAX } from './appender.ts'
import type { BlockLog } from './block-log.ts'
import { SEGMENT_HEADER_BYTES } from './segment-format.ts'
import type { Segment } from './segment.ts'

export interface CompactionLimits {
  readonly liveRatioMin: number
  readonly segmentBytesMax: number
}

/** A segment this much smaller than it may be is joined to its neighbours. */
const SMALL_DIVISOR = 8
/** Joining fewer would copy the same bytes again and again. */
const SMALL_SEGMENTS_MIN = 4

/**
 * Neighbours of the log that fit into one segment: at least one of them mostly garbage, or several
 * small. `undefined` when there is nothing to gain. What is chosen comes out without garbage and
 * fewer, so that doing what this says again and again ends.
 */
export function planCompaction(log: BlockLog, limits: CompactionLimits): Segment[] | undefined {
  let run = new Run(limits)
  for (const segment of log.segmentsInOrder()) {
    const needed = segment.needed(number => log.segments.has(number))
    if (run.add(segment, needed)) continue
    if (run.isWorthIt()) return run.segments
    run = new Run(limits)
    run.add(segment, needed)
  }
  return run.isWorthIt() ? run.segments : undefined
}

class Run {
  readonly segments: Segment[] = []
  readonly #limits: CompactionLimits
  #bytes = 0
  #records = 0
  #hasWaste = false

  constructor(limits: CompactionLimits) {
    this.#limits = limits
  }

  add(segment: Segment, needed: { readonly bytes: number; readonly records: number }): boolean {
    const { liveRatioMin, segmentBytesMax } = this.#limits
    const isWaste = isWasteful(segment, needed.bytes, liveRatioMin)
    const isSmall = needed.bytes < segmentBytesMax / SMALL_DIVISOR
    if (!segment.isSealed || !(isWaste || isSmall)) return false
    const fits =
      this.#bytes + needed.bytes <= segmentBytesMax &&
      this.#records + needed.records <= SEGMENT_RECORDS_MAX
    if (!fits && this.segments.length > 0) return false
    this.segments.push(segment)
    this.#bytes += needed.bytes
    this.#records += needed.records
    this.#hasWaste ||= isWaste
    return true
  }

  isWorthIt(): boolean {
    return this.#hasWaste || this.segments.length >= SMALL_SEGMENTS_MIN
  }
}

export function isWasteful(segment: Segment, neededBytes: number, liveRatioMin: number): boolean {
  const bytes = segment.size - SEGMENT_HEADER_BYTES
  return bytes > 0 && neededBytes < bytes * liveRatioMin
}

/** The mostly dead segment of which the least is needed, and what a copy of that takes. */
export function leastNeeded(
  log: BlockLog,
  liveRatioMin: number
): { readonly segment: Segment; readonly bytes: number } | undefined {
  const isHeld = (number: number): boolean => log.segments.has(number)
  return [...log.segments.values()]
    .map(segment => ({ segment, bytes: segment.needed(isHeld).bytes }))
    .filter(({ segment, bytes }) => segment.isSealed && isWasteful(segment, bytes, liveRatioMin))
    .sort((a, b) => a.bytes - b.bytes)
    .at(0)
}
