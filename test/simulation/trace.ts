/** What happened, line by line: the hash of all of it tells whether two runs were the same. */
import { createHash } from 'node:crypto'

/** What is shown of a run that failed. */
const LINES_KEPT = 60

export class Trace {
  readonly #hash = createHash('sha256')
  readonly #write: ((line: string) => void) | undefined
  #last: string[] = []

  constructor(write?: (line: string) => void) {
    this.#write = write
  }

  add(line: string): void {
    this.#hash.update(`${line}\n`)
    this.#write?.(line)
    this.#last.push(line)
    if (this.#last.length >= 2 * LINES_KEPT) this.#last = this.#last.slice(-LINES_KEPT)
  }

  last(): readonly string[] {
    return this.#last.slice(-LINES_KEPT)
  }

  digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 32)
  }
}
