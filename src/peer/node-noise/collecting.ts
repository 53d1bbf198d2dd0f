/**
 * Collects the young generation while bytes pass, which halves the processor time of a transfer.
 *
 * The memory of an array is outside of V8's heap. When arrays have come to 64 MiB V8 marks the
 * whole heap to find the dead among them, and a transfer allocates three to five times what it
 * moves. Collecting the young generation finds them as well, in less than a millisecond and while
 * their memory is still in the processor's cache; but V8 does that only when its own heap has
 * grown, and arrays hardly make it grow. See `docs/decisions/004-noise-primitives.md`.
 */
import type { ICryptoInterface } from '@chainsafe/libp2p-noise'
import { PerformanceObserver, constants } from 'node:perf_hooks'
import type { PerformanceEntry } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** With all that is allocated for them, well within the 64 MiB after which V8 marks its heap. */
export const COLLECTED_BYTES: number = 8 * 1024 * 1024

export interface CollectingOptions {
  /** Default: collects the young generation where that is possible, else does nothing. */
  readonly collect?: () => void
}

/** The same primitives; `collect` is called when `COLLECTED_BYTES` have passed, between events. */
export function collectWhilePassing(
  primitives: ICryptoInterface,
  { collect = collectYoung }: CollectingOptions = {}
): ICryptoInterface {
  let passed = 0
  const count = (bytes: number): void => {
    const before = passed
    passed += bytes
    if (before < COLLECTED_BYTES && passed >= COLLECTED_BYTES) setImmediate(reset)
  }
  // After the event that brought the bytes, the least of what they needed is still referred to.
  const reset = (): void => {
    passed = 0
    collect()
  }
  return {
    ...primitives,
    chaCha20Poly1305Encrypt: (plaintext, nonce, additional, key) => {
      count(plaintext.byteLength)
      return primitives.chaCha20Poly1305Encrypt(plaintext, nonce, additional, key)
    },
    chaCha20Poly1305Decrypt: (ciphertext, nonce, additional, key, target) => {
      count(ciphertext.byteLength)
      return primitives.chaCha20Poly1305Decrypt(ciphertext, nonce, additional, key, target)
    }
  }
}

let collector: (() => void) | undefined

export function collectYoung(): void {
  collector ??= findCollector()
  collector()
}

/** V8 shows its collector to new contexts while the flag is set, also when it was not started so. */
function findCollector(): () => void {
  let found: unknown = globalThis.gc
  if (found === undefined) {
    try {
      setFlagsFromString('--expose-gc')
      found = runInNewContext('gc')
      setFlagsFromString('--no-expose-gc')
    } catch {
      // Another engine than V8, with a collector of its own ways.
    }
  }
  if (typeof found !== 'function') return () => {}
  const collect = found
  const isMarking = watchMarking()
  return () => {
    if (!isMarking()) Reflect.apply(collect, undefined, [{ type: 'minor' }])
  }
}

/** What the types of Node leave out. */
interface GarbageEntry extends PerformanceEntry {
  readonly detail: { readonly kind: number }
}

/**
 * Tells whether V8 marks its heap just now, which its own threads do beside us. To collect the young
 * generation meanwhile makes it finish at once while everybody waits: for 20 to 40 ms, where it is 8
 * to 15 when left alone (measured with sixteen readers at once).
 */
function watchMarking(): () => boolean {
  const { NODE_PERFORMANCE_GC_INCREMENTAL: begins, NODE_PERFORMANCE_GC_MAJOR: ends } = constants
  let isMarking = false
  const note = (entries: readonly PerformanceEntry[]): void => {
    for (const { detail } of entries as readonly GarbageEntry[]) {
      if (detail.kind === begins) isMarking = true
      else if (detail.kind === ends) isMarking = false
    }
  }
  const observer = new PerformanceObserver(list => note(list.getEntries()))
  observer.observe({ entryTypes: ['gc'] })
  return () => {
    // What the observer is told of by itself comes a turn of the event loop later.
    note(observer.takeRecords())
    return isMarking
  }
}
