/**
 * `watch`: what changed between one version of a volume and the next. A version made here and one
 * learned from another peer are looked at in the same way, and equal subtrees are skipped, so
 * watching costs what changed and not what is there.
 */
import { explain } from './failures.ts'
import type { FileSystemContext } from './context.ts'
import type { WatchEvent, WatchOptions } from './file-system.ts'
import type { PathLike } from './paths.ts'
import { toPath } from './paths.ts'
import { resolve } from './resolve.ts'
import { WatchedTree } from './watched-tree.ts'

/** Events kept for a reader that is slow; what comes then is reported as an overflow. */
export const WATCH_EVENTS_MAX: number = 2048

export async function* watch(
  context: FileSystemContext,
  path: PathLike,
  options: WatchOptions = {}
): AsyncGenerator<WatchEvent> {
  const { signal, recursive = false, maxQueue = WATCH_EVENTS_MAX } = options
  const written = toPath(path)
  signal?.throwIfAborted()
  const place = await resolve(context, written).catch(error => {
    throw explain(error, { syscall: 'watch', path: written })
  })
  const tree = new WatchedTree(place, recursive)
  const waker = new Waker()
  const wake = (): void => waker.wake()
  place.volume.events.addEventListener('change', wake)
  signal?.addEventListener('abort', wake)
  try {
    for (;;) {
      signal?.throwIfAborted()
      // Changes that come while this runs wake the next round at once.
      const woken = waker.next()
      yield* await tree.changes(await place.volume.snapshot(), maxQueue)
      if (tree.isGone) return
      await woken
    }
  } finally {
    place.volume.events.removeEventListener('change', wake)
    signal?.removeEventListener('abort', wake)
  }
}

/** Lets one loop wait for the next of many signals. */
class Waker {
  #next = Promise.withResolvers<void>()

  next(): Promise<void> {
    this.#next = Promise.withResolvers<void>()
    return this.#next.promise
  }

  wake(): void {
    this.#next.resolve()
  }
}
