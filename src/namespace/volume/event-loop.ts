/**
 * What is in memory is read and changed without ever waiting for anything, so a program that does
 * one such thing after the other would keep timers and sockets from their turn for as long as it
 * goes on: other peers would hear nothing, and nothing would be committed.
 */

/**
 * How long the event loop may be held, in milliseconds. Well under the 20 that nobody should ever
 * wait: the step that comes to this goes on for some more, and the garbage of it is collected.
 */
const HOLD_MS_MAX = 8

// Of the process and not of a volume, because the event loop is.
let sharedMs = performance.now()

/**
 * Lets others have their turn when they have waited for long; resolves at once otherwise. `holdMs`:
 * what is long, for steps that take milliseconds each.
 */
export async function shareEventLoop(holdMs: number = HOLD_MS_MAX): Promise<void> {
  if (performance.now() - sharedMs < holdMs) return
  await new Promise<void>(resolve => {
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve)
  })
  sharedMs = performance.now()
}
