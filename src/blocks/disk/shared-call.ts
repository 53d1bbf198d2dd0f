/** One run of something costly for all who ask for it at the same time. */

/**
 * Returns a function that resolves when a run of `work` that began after the call has ended:
 * whoever calls during a run waits for the next, which all of them share.
 */
export function shareCalls(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined
  return () => {
    next ??= running
      .catch(() => {})
      .then(() => {
        running = next!
        next = undefined
        return work()
      })
    return next
  }
}
