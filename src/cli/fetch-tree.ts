/**
 * Writes a directory or file of another peer out to the host, in spite of peers that come and go.
 *
 * All of it is asked for at once. When that fails, it is begun again after a pause: what is there
 * already is skipped. Pauses grow while nothing comes, and after a while without any progress we
 * give up. When somebody is there but some files cannot be had from him, as when they were
 * changed on his disk a moment ago, the others are fetched one by one.
 */
import { mkdir } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TransferProgress, TransferReport, Warren } from '../index.ts'
import { isTransient } from './transient.ts'

/** The first pause; each one without progress before it doubles it. */
const PAUSE_MS_MIN = 500

const PAUSE_MS_MAX = 15_000

/** How often in a row all of it may fail without progress, while peers are there, before files go one by one. */
const FAILURES_TOGETHER_MAX = 2

/** How often one file is tried. */
const ROUNDS_MAX = 3

export interface FetchTreeOptions {
  /** How long to go on without any progress, in milliseconds. */
  readonly patienceMs: number
  readonly signal: AbortSignal
  readonly onProgress: (progress: TransferProgress) => void
  /** Told before each pause. */
  readonly onPause: (error: unknown, ms: number) => void
}

type Failed = TransferReport['failed'][number]

export interface FetchReport {
  /** Of the last pass, which skips what earlier ones have brought. */
  readonly report: TransferReport
  /** How often it was begun. */
  readonly passes: number
}

export async function fetchTree(
  warren: Warren,
  { path, hostPath }: { readonly path: string; readonly hostPath: string },
  options: FetchTreeOptions
): Promise<FetchReport> {
  const { signal, patienceMs } = options
  const patience = new Patience(options)
  for (let passes = 1; ; passes++) {
    try {
      const onProgress = patience.watch()
      return { report: await warren.export(path, hostPath, { signal, onProgress }), passes }
    } catch (error) {
      signal.throwIfAborted()
      if (!isTransient(error)) throw error
      const isThere = warren.peer.connected().length > 0
      if (isThere && patience.failures + 1 >= FAILURES_TOGETHER_MAX) {
        return { report: await fetchOneByOne(warren, { path, hostPath }, options), passes }
      }
      if (patience.idleMs > patienceMs) throw error
      await patience.pause(error)
    }
  }
}

/** Remembers when something came last, and waits the longer the less does. */
class Patience {
  failures = 0
  readonly #options: FetchTreeOptions
  #progressMs = performance.now()
  #furthest = -1

  constructor(options: FetchTreeOptions) {
    this.#options = options
  }

  get idleMs(): number {
    return performance.now() - this.#progressMs
  }

  /** For one pass. Going once more over what is there is no progress. */
  watch(): (progress: TransferProgress) => void {
    return progress => {
      this.#options.onProgress(progress)
      const reached = progress.bytes + progress.files
      if (reached <= this.#furthest) return
      this.#furthest = reached
      this.#progressMs = performance.now()
      this.failures = 0
    }
  }

  async pause(error: unknown): Promise<void> {
    const ms = Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** this.failures)
    this.failures++
    this.#options.onPause(error, ms)
    await sleep(ms, undefined, { signal: this.#options.signal })
  }
}

interface Item {
  readonly path: string
  readonly hostPath: string
}

async function fetchOneByOne(
  warren: Warren,
  top: Item,
  options: FetchTreeOptions
): Promise<TransferReport> {
  const { signal } = options
  const totals = { files: 0, directories: 0, symlinks: 0, bytes: 0, skipped: 0, removed: 0 }
  let failed: (Failed & { readonly item: Item })[] = []
  const fetch = async (item: Item): Promise<void> => {
    try {
      const report = await warren.export(item.path, item.hostPath, { signal })
      for (const name of NUMBERS) totals[name] += report[name]
      const one = report.failed.map(({ error }) => ({ path: below(top, item), error, item }))
      failed.push(...one)
      const { files, skipped, bytes } = totals
      options.onProgress({ files: files + skipped, bytes, path: item.path })
    } catch (error) {
      signal.throwIfAborted()
      failed.push({ path: below(top, item), error: error as Error, item })
    }
  }
  for await (const item of walk(warren, top, signal)) await fetch(item)
  for (let round = 1; round < ROUNDS_MAX && failed.length > 0; round++) {
    const ms = PAUSE_MS_MIN * 4 ** round
    options.onPause(failed[0]!.error, ms)
    await sleep(ms, undefined, { signal })
    const again = failed
    failed = []
    for (const { item } of again) await fetch(item)
  }
  return { ...totals, failed: failed.map(({ path, error }) => ({ path, error })) }
}

const NUMBERS = ['files', 'directories', 'symlinks', 'bytes', 'skipped', 'removed'] as const

function below(top: Item, item: Item): string {
  return posix.relative(top.path, item.path)
}

/** Files and symlinks; directories are made on the way. */
async function* walk(warren: Warren, top: Item, signal: AbortSignal): AsyncGenerator<Item> {
  if (!(await warren.fs.stat(top.path, { signal })).isDirectory()) {
    yield top
    return
  }
  const waiting = [top]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    await mkdir(next.hostPath, { recursive: true })
    for await (const entry of await warren.fs.opendir(next.path, { signal })) {
      const item = {
        path: posix.join(next.path, entry.name),
        hostPath: join(next.hostPath, entry.name)
      }
      if (entry.isDirectory()) waiting.push(item)
      else yield item
    }
  }
}
