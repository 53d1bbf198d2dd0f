/**
 * Starts reading the next few things while the caller is busy with this one, and hands them out in
 * the order asked. Things that are there are handed out without waiting for the source to say what
 * comes after them.
 */
export interface ReadAheadOptions {
  /** How many reads may be under way or waiting for the caller. */
  readonly readsMax: number
  /** Ends the wait for a silent source; `read` has to look at it itself. */
  readonly signal?: AbortSignal | undefined
}

export async function* readAhead<Key, Value>(
  source: Iterable<Key> | AsyncIterable<Key>,
  read: (key: Key) => Promise<Value>,
  { readsMax, signal }: ReadAheadOptions
): AsyncGenerator<Value, void, undefined> {
  const keys = iterate(source)
  const reads: Promise<Value>[] = []
  let asking = false
  let ended = false
  let wake = (): void => {}
  const wakeUp = (): void => wake()

  const push = (value: Promise<Value>): void => {
    // It may never be waited for, when the caller leaves early or an earlier read has failed.
    value.catch(() => {})
    reads.push(value)
  }
  const ask = async (): Promise<void> => {
    asking = true
    try {
      while (!ended && reads.length < readsMax) {
        const next = await keys.next()
        if (next.done === true) ended = true
        else if (!ended) push(read(next.value))
        wake()
      }
    } catch (error) {
      ended = true
      push(Promise.reject(error))
      wake()
    } finally {
      asking = false
    }
  }

  signal?.addEventListener('abort', wakeUp)
  try {
    while (true) {
      signal?.throwIfAborted()
      if (!asking && !ended) void ask()
      if (reads.length > 0) {
        const value = await reads[0]!
        void reads.shift()
        yield value
      } else if (ended) return
      else await new Promise<void>(resolve => (wake = resolve))
    }
  } finally {
    ended = true
    signal?.removeEventListener('abort', wakeUp)
    // Not waited for: a source that is silent now would keep the caller from leaving.
    void Promise.resolve(keys.return?.()).catch(() => {})
  }
}

function iterate<Key>(
  source: Iterable<Key> | AsyncIterable<Key>
): Iterator<Key> | AsyncIterator<Key> {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
}
