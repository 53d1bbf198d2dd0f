/** Opens a link, although whoever is behind it may not have been found yet, or not have started. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Warren } from '../index.ts'
import { during } from './failure.ts'
import { asUsage, nameOfLink } from './link.ts'
import { isTransient } from './transient.ts'

/** Enough for a dial and a question to the peers of a link, in milliseconds. */
const ATTEMPT_MS = 10_000

/** The first pause before it is tried again; it doubles. */
const PAUSE_MS = 500

export interface MountLinkOptions {
  /** How long one attempt may take at most, in milliseconds. */
  readonly timeoutMs: number
  /** How long to begin it again, in milliseconds. */
  readonly patienceMs: number
  readonly signal: AbortSignal
  /** Told before each pause. */
  readonly onPause?: (error: unknown, ms: number) => void
}

/** Resolves to the path at which the link is mounted: the name of its share. */
export async function mountLink(
  warren: Warren,
  link: string,
  { timeoutMs, patienceMs, signal, onPause }: MountLinkOptions
): Promise<string> {
  const path = `/${nameOfLink(link)}`
  const deadline = performance.now() + patienceMs
  for (let ms = PAUSE_MS; ; ms *= 2) {
    const limit = AbortSignal.timeout(Math.min(timeoutMs, ATTEMPT_MS))
    try {
      await asUsage(warren.mount(path, link, { signal: AbortSignal.any([signal, limit]) }))
      return path
    } catch (error) {
      signal.throwIfAborted()
      if (!isTransient(error) || performance.now() + ms > deadline) {
        await during('opening the link', Promise.reject(error))
      }
      onPause?.(error, ms)
      await sleep(ms, undefined, { signal })
    }
  }
}
