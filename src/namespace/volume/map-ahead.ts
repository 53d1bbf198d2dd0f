/**
 * Works on several items of a sequence at once and hands the results out in order: each may have
 * to wait for a peer, and those waits need not come one after the other.
 */
export interface AheadWork<Item, Result extends object> {
  /** The items; ends soon after the signal is aborted. */
  readonly source: (signal: AbortSignal) => AsyncGenerator<Item>
  readonly work: (item: Item, signal: AbortSignal) => Promise<Result>
  readonly atOnce: number
  readonly signal?: AbortSignal | undefined
}

/** When the caller leaves, what was begun ahead is cancelled. */
export async function* mapAhead<Item, Result extends object>({
  source,
  work,
  atOnce,
  signal: callerSignal
}: AheadWork<Item, Result>): AsyncGenerator<Result> {
  const left = new AbortController()
  const signals = callerSignal === undefined ? [] : [callerSignal]
  const signal = AbortSignal.any([left.signal, ...signals])
  const items = source(signal)
  const results: Promise<Result | undefined>[] = []
  const begin = (): void => {
    const result = items
      .next()
      .then(next => (next.done === true ? undefined : work(next.value, signal)))
    // Told to whoever comes to it; nobody may, when one before it has failed.
    result.catch(() => {})
    results.push(result)
  }
  try {
    while (results.length < atOnce) begin()
    for (let result = await results.shift(); result !== undefined; result = await results.shift()) {
      begin()
      yield result
    }
  } finally {
    left.abort()
    await items.return(undefined)
  }
}
