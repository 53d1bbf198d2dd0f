/**
 * One piece of work that several callers wait for. Each may give up by its own signal without
 * disturbing the others; when the last one has, the work itself is cancelled.
 */
export class SharedRead<Result> {
  readonly #controller = new AbortController()
  readonly #result: Promise<Result>
  #waiting = 0
  #end: () => void = () => {}

  constructor(work: (signal: AbortSignal) => Promise<Result>) {
    this.#result = work(this.#controller.signal)
    const end = (): void => this.#end()
    this.#result.then(end, end)
  }

  /** Called once nobody can join any more: the work is done, has failed or was given up. */
  onEnd(end: () => void): void {
    this.#end = end
  }

  async wait(signal?: AbortSignal): Promise<Result> {
    this.#waiting++
    try {
      return signal === undefined ? await this.#result : await orAborted(this.#result, signal)
    } finally {
      this.#waiting--
      if (this.#waiting === 0) {
        this.#end()
        this.#controller.abort()
      }
    }
  }
}

async function orAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
