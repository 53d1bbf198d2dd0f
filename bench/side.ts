/** What every side of every system does alike, so that all are timed and weighed in one way. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { PerformanceObserver } from 'node:perf_hooks'
import { createHeldUpMeter } from './held-up.ts'

/** Every so many ranges one is kept and compared afterwards: hashing all would be measured too. */
export const RANGES_PER_SAMPLE = 16

/** What one process used in a measured step. */
export interface Usage {
  readonly cpuSeconds: number
  /** Since the process began, not only in the step. */
  readonly peakRssMiB: number
  /** The longest that the event loop was held up by what ran in it, in milliseconds; not known of foreign processes. */
  readonly heldUpMs?: number
  /** The longest that V8 kept everybody waiting to collect garbage, which may have been at another time. */
  readonly collectingMs?: number
}

export interface Timed {
  readonly milliseconds: number
}

export interface TimedRanges extends Timed {
  readonly latencies: readonly number[]
  /** A sha256 of every sixteenth range. */
  readonly samples: readonly string[]
}

export async function timed(work: () => Promise<unknown>): Promise<Timed> {
  const began = performance.now()
  await work()
  return { milliseconds: performance.now() - began }
}

/** A function that answers what this process has used since its last call. */
export function createUsageMeter(): () => Usage {
  const heldUp = createHeldUpMeter()
  let collectingMs = 0
  const collections = new PerformanceObserver(list => {
    for (const { duration } of list.getEntries()) collectingMs = Math.max(collectingMs, duration)
  })
  collections.observe({ entryTypes: ['gc'] })
  let before = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(before)
    before = process.cpuUsage()
    const heldUpMs = heldUp.take()
    const usage = { cpuSeconds: (user + system) / 1e6, peakRssMiB: peakRssMiB() }
    const held = { heldUpMs, collectingMs }
    collectingMs = 0
    return { ...usage, ...held }
  }
}

/** `maxRSS` of a Linux process begins with what its parent held when it forked; VmHWM does not. */
function peakRssMiB(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS / 1024
  return peakRssOf(readFileSync('/proc/self/status', 'utf8'))
}

/** Takes the text of a `/proc/…/status`. */
export function peakRssOf(status: string): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN) / 1024
}

/** Reads the ranges, `atOnce` of them at any time, and keeps how long each took. */
export async function timeRanges(
  read: (offset: number) => Promise<Uint8Array>,
  offsets: readonly number[],
  atOnce: number
): Promise<TimedRanges> {
  const latencies: number[] = []
  const kept = new Map<number, Uint8Array>()
  const rest = offsets.entries()
  const work = async (): Promise<void> => {
    for (const [index, offset] of rest) {
      const began = performance.now()
      const bytes = await read(offset)
      latencies.push(performance.now() - began)
      if (index % RANGES_PER_SAMPLE === 0) kept.set(index, Uint8Array.from(bytes))
    }
  }
  const { milliseconds } = await timed(() => Promise.all(Array.from({ length: atOnce }, work)))
  const inOrder = [...kept].toSorted(([a], [b]) => a - b)
  const samples = inOrder.map(([, bytes]) => createHash('sha256').update(bytes).digest('hex'))
  return { milliseconds, latencies, samples }
}
