/** Gives turns, one at a time, in the order asked. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  /** Runs work when all work before it has ended, well or not. */
  take<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(work, work)
    this.#last = turn.catch(() => {})
    return turn
  }
}
