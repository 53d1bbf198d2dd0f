/**
 * Takes the real time and the real chance away from a process, so that what runs in it depends on
 * the seed alone. The library is given its clock and its chance where they matter; what is left
 * (how long the event loop was held, salts, names of temporary directories, a library's own
 * timers) is taken from here. What would wait for the real world all the same shows in
 * `process.getActiveResourcesInfo()`, which a test looks at.
 */
import type { Clock } from '../../src/peer/index.ts'
import type { SeededRandom } from './seeded-random.ts'

interface Ambient {
  readonly owner: object
  readonly name: string
  readonly replacement: unknown
}

/** Returns how to give everything back. */
export function sealProcess(clock: Clock, random: SeededRandom): () => void {
  const ambients: Ambient[] = [
    { owner: Math, name: 'random', replacement: random.next },
    { owner: Date, name: 'now', replacement: () => clock.now() },
    // It tells only how long the event loop was held; some of that is remembered from run to run.
    { owner: performance, name: 'now', replacement: () => 0 },
    { owner: crypto, name: 'getRandomValues', replacement: fillWith(random) },
    { owner: AbortSignal, name: 'timeout', replacement: timeoutOf(clock) },
    ...timersOf(clock)
  ]
  const restores = ambients.map(({ owner, name, replacement }) => {
    const before = Object.getOwnPropertyDescriptor(owner, name)
    Object.defineProperty(owner, name, { value: replacement, configurable: true, writable: true })
    return () => {
      if (before === undefined) Reflect.deleteProperty(owner, name)
      else Object.defineProperty(owner, name, before)
    }
  })
  return () => restores.forEach(restore => restore())
}

function timersOf(clock: Clock): Ambient[] {
  const after = (callback: () => void, ms = 0): (() => void) => clock.after(ms, callback)
  const cancel = (timer: unknown): void => {
    if (typeof timer === 'function') (timer as () => void)()
  }
  return [
    { owner: globalThis, name: 'setTimeout', replacement: after },
    { owner: globalThis, name: 'clearTimeout', replacement: cancel },
    { owner: globalThis, name: 'setImmediate', replacement: (run: () => void) => after(run) },
    { owner: globalThis, name: 'clearImmediate', replacement: cancel }
  ]
}

function fillWith(random: SeededRandom): (array: ArrayBufferView) => ArrayBufferView {
  return array => {
    random.fill(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    return array
  }
}

function timeoutOf(clock: Clock): (ms: number) => AbortSignal {
  return ms => {
    const controller = new AbortController()
    clock.after(ms, () => controller.abort(new DOMException('timed out', 'TimeoutError')))
    return controller.signal
  }
}
