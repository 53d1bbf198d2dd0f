/**
 * Keeps a path of the namespace equal to a folder or file of the host: a report of the first
 * import, then one after each round of changes on the host that changed anything.
 */
import { watch } from 'node:fs'
import type { FSWatcher } from 'node:fs'
import type { ImportOptions, TransferReport, Warren } from '../index.ts'

/** Changes come in swarms, as when a program saves: this long after the first we look. */
const SETTLE_MS = 200

/** Watching may miss a change, on network file systems every one: we look this often in any case. */
const LOOK_MS = 60_000

export interface FollowOptions extends ImportOptions {
  readonly signal: AbortSignal
}

/** Ends when the signal is aborted. Throws what the first import throws. */
export async function* followFolder(
  warren: Pick<Warren, 'import'>,
  { hostPath, path }: { readonly hostPath: string; readonly path: string },
  options: FollowOptions
): AsyncGenerator<TransferReport> {
  const { signal } = options
  const changes = new Changes(hostPath)
  try {
    yield await warren.import(hostPath, path, options)
    const { onProgress: _, ...quiet } = options
    while (await changes.next(signal)) {
      try {
        const report = await warren.import(hostPath, path, quiet)
        if (hasChanges(report)) yield report
      } catch (error) {
        if (signal.aborted) return
        yield { ...NOTHING, failed: [{ path: hostPath, error: error as Error }] }
      }
    }
  } finally {
    changes.close()
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

function hasChanges({ files, directories, symlinks, removed, failed }: TransferReport): boolean {
  return files + directories + symlinks + removed + failed.length > 0
}

/** Whether something may have changed since we looked last. */
class Changes {
  readonly #watcher: FSWatcher | undefined
  #changed = false
  #wake: (() => void) | undefined

  constructor(hostPath: string) {
    try {
      this.#watcher = watch(hostPath, { recursive: true, persistent: false })
      this.#watcher.on('change', () => this.#notice())
      // Looking now and then goes on without it.
      this.#watcher.on('error', () => {})
    } catch {
      this.#watcher = undefined
    }
  }

  /** Resolves to false when the signal was aborted, else when it is time to look. */
  async next(signal: AbortSignal): Promise<boolean> {
    if (!this.#changed) await this.#pause(LOOK_MS, signal, true)
    if (this.#changed) await this.#pause(SETTLE_MS, signal, false)
    this.#changed = false
    return !signal.aborted
  }

  close(): void {
    this.#watcher?.close()
  }

  #notice(): void {
    this.#changed = true
    this.#wake?.()
  }

  async #pause(ms: number, signal: AbortSignal, wakes: boolean): Promise<void> {
    if (signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    if (wakes) this.#wake = resolve
    const stop = (): void => resolve()
    signal.addEventListener('abort', stop)
    await promise
    signal.removeEventListener('abort', stop)
    this.#wake = undefined
    clearTimeout(timer)
  }
}
