/**
 * Keeps a path of the namespace equal to a folder or file of the host: a report of the first
 * import, then one after each round of changes on the host.
 */
import { stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ImportOptions, TransferReport, Warren } from '../index.ts'

/** How often a single file is looked at, in milliseconds. */
const LOOK_MS = 1_000

/** The pause before a folder that has gone is looked for again, as a disk that was unplugged. */
const RETURN_MS = 5_000

export interface FollowOptions extends ImportOptions {
  readonly signal: AbortSignal
}

interface Place {
  readonly hostPath: string
  readonly path: string
}

type Follower = Pick<Warren, 'import' | 'mirror'>

/**
 * Ends when the signal is aborted. Throws what the first import throws; what fails later is
 * reported, once for each time, and it is tried again.
 */
export async function* followSource(
  warren: Follower,
  place: Place,
  options: FollowOptions
): AsyncGenerator<TransferReport> {
  const { signal } = options
  const { onProgress: _, ...quiet } = options
  let current: FollowOptions = options
  let failure: string | undefined
  for (;;) {
    try {
      for await (const report of followOnce(warren, place, current)) {
        yield report
        current = quiet
        failure = undefined
      }
      return
    } catch (error) {
      if (signal.aborted) return
      if (current === options) throw error
      if (failure !== String(error))
        yield { ...NOTHING, failed: [{ path: '', error: error as Error }] }
      failure = String(error)
    }
    await sleep(RETURN_MS, undefined, { signal }).catch(() => {})
  }
}

const NOTHING: TransferReport = {
  files: 0,
  directories: 0,
  symlinks: 0,
  bytes: 0,
  skipped: 0,
  removed: 0,
  failed: []
}

async function* followOnce(
  warren: Follower,
  { hostPath, path }: Place,
  options: FollowOptions
): AsyncGenerator<TransferReport> {
  if ((await stat(hostPath)).isDirectory()) yield* warren.mirror(hostPath, path, options)
  else yield* followFile(warren, { hostPath, path }, options)
}

/** A file is looked at: a watcher loses it when a program puts a new one in its place. */
async function* followFile(
  warren: Follower,
  { hostPath, path }: Place,
  options: FollowOptions
): AsyncGenerator<TransferReport> {
  const { signal } = options
  let seen = ''
  while (!signal.aborted) {
    const { mtimeMs, size, ino } = await stat(hostPath)
    const now = `${mtimeMs} ${size} ${ino}`
    if (now !== seen) yield await warren.import(hostPath, path, options)
    seen = now
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {})
  }
}
