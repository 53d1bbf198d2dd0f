/** Prints the demo: a line for each step, one that moves while a step takes long, a table last. */
import { styleText } from 'node:util'
import type { TransferProgress } from 'warren'

const MIB = 1024 * 1024

/** Tells how far it has come. */
interface Working {
  onProgress: ((progress: TransferProgress) => void) | undefined
}

export class Story {
  #step = 0
  readonly #rows: (readonly string[])[] = []
  #isMoving = false

  /** What happens now. */
  step(text: string): void {
    this.#clear()
    console.log(`\n${styleText('bold', `${++this.#step}. ${text}`)}`)
  }

  /** What has come of it. */
  tell(text: string): void {
    this.#clear()
    console.log(`   ${text}`)
  }

  /** A row of the table at the end. */
  row(...cells: string[]): void {
    this.#rows.push(cells)
  }

  /** Shows a peer at work, where somebody watches. */
  async watch<Value>(peer: Working, work: Promise<Value>): Promise<Value> {
    if (process.stdout.isTTY) peer.onProgress = progress => this.#move(progress)
    try {
      return await work
    } finally {
      peer.onProgress = undefined
      this.#clear()
    }
  }

  table(): void {
    this.#clear()
    const widths = this.#rows[0]!.map((_, column) =>
      Math.max(...this.#rows.map(row => row[column]!.length))
    )
    console.log('')
    for (const [index, row] of this.#rows.entries()) {
      const cells = row.map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
      )
      const line = cells.join('   ').trimEnd()
      console.log(index === 0 ? styleText('bold', line) : line)
      if (index === 0) console.log(widths.map(width => '-'.repeat(width)).join('   '))
    }
    console.log('')
  }

  #move({ files, bytes, filesTotal }: TransferProgress): void {
    const total = filesTotal === undefined ? '' : ` of ${count(filesTotal)}`
    this.#isMoving = true
    process.stdout.write(`\r\u001b[K   ${count(files)}${total} files, ${mebibytes(bytes)}`)
  }

  #clear(): void {
    if (this.#isMoving) process.stdout.write('\r\u001b[K')
    this.#isMoving = false
  }
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

export function mebibytes(bytes: number): string {
  return `${count(bytes / MIB)} MiB`
}

export function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** The cells of a row after the first: files, MiB, time, files a second, MiB a second. */
export function rates({ files, bytes }: { files: number; bytes: number }, ms: number): string[] {
  return [
    count(files),
    count(bytes / MIB),
    seconds(ms),
    count((files / ms) * 1000),
    count((bytes / MIB / ms) * 1000)
  ]
}
