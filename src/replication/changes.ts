/** Waiting for something to become true that many things may bring about. */
import type { Clock } from '../peer/index.ts'
import { WarrenError } from '../errors.ts'
import type { WaitOptions } from './replication.ts'

/** Counts changes, so that one that comes between looking and waiting is not missed. */
export class Changes {
  #count = 0
  readonly #waiting = new Set<() => void>()

  get count(): number {
    return this.#count
  }

  changed(): void {
    this.#count++
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  /** Resolves when there was a change after the one that had this count. */
  async after(count: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#count !== count) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const wake = (): void => resolve()
    this.#waiting.add(wake)
    signal.addEventListener('abort', wake)
    try {
      await promise
    } finally {
      this.#waiting.delete(wake)
      signal.removeEventListener('abort', wake)
    }
    signal.throwIfAborted()
  }

  /** Resolves when `check` is true; looks again after each change. */
  async until(check: () => boolean | Promise<boolean>, signal: AbortSignal): Promise<void> {
    for (;;) {
      const { count } = this
      if (await check()) return
      await this.after(count, signal)
    }
  }
}

/**
 * Runs work that ends when its signal is aborted: by the caller, or with `ETIMEDOUT` when the time
 * is over. `what` says for the error what was waited for.
 */
export async function within<Result>(
  clock: Clock,
  { signal, timeoutMs, what }: WaitOptions & { readonly timeoutMs: number; readonly what: string },
  work: (signal: AbortSignal) => Promise<Result>
): Promise<Result> {
  signal?.throwIfAborted()
  const ending = new AbortController()
  const cancel = clock.after(timeoutMs, () => {
    ending.abort(new WarrenError('ETIMEDOUT', { message: `${what} within ${timeoutMs} ms` }))
  })
  const give = (): void => ending.abort(signal?.reason)
  signal?.addEventListener('abort', give)
  try {
    return await work(ending.signal)
  } finally {
    cancel()
    signal?.removeEventListener('abort', give)
  }
}
