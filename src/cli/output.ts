/**
 * Where a command prints. Results go to stdout, one line each, and everything meant for people's
 * eyes beside them to stderr, so that a result can be piped.
 */
import type { Failure } from './failure.ts'
import { printable, printableJson } from './printable.ts'

/** The part of a stream that printing needs. */
export interface Sink {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  write(data: string | Uint8Array, done: (error?: Error | null) => void): unknown
}

/** What a terminal is taken to have that does not say. */
const COLUMNS_DEFAULT = 80
const ROWS_DEFAULT = 24

export class Output {
  /** Whether results are JSON, for programs. */
  readonly json: boolean
  readonly #stdout: Sink
  readonly #stderr: Sink
  #bar = ''
  #drawnLines = 0

  constructor(stdout: Sink, stderr: Sink, { json }: { readonly json: boolean }) {
    this.#stdout = stdout
    this.#stderr = stderr
    this.json = json
  }

  /** Whether somebody watches: then a line may be drawn over. */
  get isWatched(): boolean {
    return this.#stderr.isTTY === true && !this.json
  }

  get columns(): number {
    return this.#stderr.columns ?? COLUMNS_DEFAULT
  }

  /** A result for people: one line of text. */
  line(text: string): Promise<void> {
    this.#clear()
    return write(this.#stdout, `${printable(text)}\n`)
  }

  /**
   * Results that take the place of those drawn before, where stdout is a terminal: as much of them
   * as it can show. Elsewhere they follow each other, with an empty line between.
   */
  draw(lines: readonly string[]): Promise<void> {
    this.#clear()
    const { isTTY = false, columns = COLUMNS_DEFAULT, rows = ROWS_DEFAULT } = this.#stdout
    const shown = lines.map(printable)
    const isFirst = this.#drawnLines === 0
    if (!isTTY) {
      this.#drawnLines = 1
      return write(this.#stdout, `${isFirst ? '' : '\n'}${shown.join('\n')}\n`)
    }
    const fitting = shown.slice(0, rows - 1).map(line => line.slice(0, columns - 1))
    const back = isFirst ? '' : `\u001b[${this.#drawnLines}A\r\u001b[J`
    this.#drawnLines = fitting.length
    return write(this.#stdout, `${back}${fitting.join('\n')}\n`)
  }

  /** A result for programs: one line of JSON. */
  value(value: unknown): Promise<void> {
    return write(this.#stdout, `${printableJson(value)}\n`)
  }

  /** Resolves when there is room for more. */
  bytes(bytes: Uint8Array): Promise<void> {
    return write(this.#stdout, bytes)
  }

  /** A remark for people. Programs are not bothered with it. */
  note(text: string): void {
    if (this.json) return
    this.#clear()
    void write(this.#stderr, `${printable(text)}\n`)
  }

  /** Draws over the line that was drawn before; only where `isWatched`. */
  bar(text: string): void {
    this.#bar = printable(text).slice(0, this.columns - 1)
    void write(this.#stderr, `\r\u001b[K${this.#bar}`)
  }

  failure({ code, message, hint }: Failure): void {
    this.#clear()
    const text = this.json
      ? printableJson({ error: { code, message, ...(hint === undefined ? {} : { hint }) } })
      : `warren: ${printable(message)}${hint === undefined ? '' : ` (${printable(hint)})`}`
    void write(this.#stderr, `${text}\n`)
  }

  /** Resolves when everything printed is on its way. */
  async flush(): Promise<void> {
    this.#clear()
    await Promise.all([write(this.#stdout, ''), write(this.#stderr, '')])
  }

  #clear(): void {
    if (this.#bar === '') return
    this.#bar = ''
    void write(this.#stderr, '\r\u001b[K')
  }
}

/** A reader that has gone, as `head` does, ends the process: see `main.ts`. */
function write(sink: Sink, data: string | Uint8Array): Promise<void> {
  return new Promise(resolve => {
    sink.write(data, () => resolve())
  })
}
