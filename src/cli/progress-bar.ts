/** Shows how far a transfer has come: a bar where somebody watches, a line now and then elsewhere. */
import type { TransferProgress } from '../index.ts'
import type { Output } from './output.ts'
import { formatAmount, formatBytes, formatCount, formatDuration } from './units.ts'

/** The rate is taken over this long: steady enough to read, quick enough to show a change. */
const RATE_MS = 5_000

/** In a log a line now and then is enough. */
const LINE_MS = 10_000

const BAR_COLUMNS = 20

interface Sample {
  readonly atMs: number
  readonly bytes: number
}

export class ProgressBar {
  readonly #title: string
  readonly #output: Output
  readonly #now: () => number
  readonly #samples: Sample[] = []
  #toldMs: number
  #last: TransferProgress | undefined

  constructor(title: string, output: Output, now: () => number = () => performance.now()) {
    this.#title = title
    this.#output = output
    this.#now = now
    this.#toldMs = now()
  }

  /** What was shown last. */
  get last(): TransferProgress | undefined {
    return this.#last
  }

  /** For `onProgress` of a transfer. */
  readonly show = (progress: TransferProgress): void => {
    this.#last = progress
    const atMs = this.#now()
    this.#samples.push({ atMs, bytes: progress.bytes })
    while (this.#samples.length > 2 && atMs - this.#samples[0]!.atMs > RATE_MS) {
      this.#samples.shift()
    }
    if (this.#output.isWatched) this.#output.bar(this.text(progress))
    else if (atMs - this.#toldMs >= LINE_MS) {
      this.#toldMs = atMs
      this.#output.note(this.text(progress))
    }
  }

  /** The transfer has begun again. */
  restart(): void {
    this.#samples.length = 0
  }

  text({ files, bytes, filesTotal, bytesTotal }: TransferProgress): string {
    const rate = this.#bytesPerSecond()
    const parts = [this.#title]
    if (filesTotal === undefined || bytesTotal === undefined) {
      parts.push(formatAmount(files, 'file'), formatBytes(bytes))
    } else {
      const share = bytesTotal === 0 ? 1 : Math.min(1, bytes / bytesTotal)
      const filled = Math.floor(share * BAR_COLUMNS)
      parts.push(`[${'#'.repeat(filled).padEnd(BAR_COLUMNS, '-')}]`)
      parts.push(`${Math.floor(share * 100)}%`)
      parts.push(`${formatCount(files)}/${formatAmount(filesTotal, 'file')}`)
      parts.push(`${formatBytes(bytes)} of ${formatBytes(bytesTotal)}`)
    }
    if (rate > 0) parts.push(`${formatBytes(rate)}/s`)
    if (rate > 0 && bytesTotal !== undefined) {
      parts.push(`${formatDuration(((bytesTotal - bytes) / rate) * 1000)} left`)
    }
    return parts.join('  ')
  }

  #bytesPerSecond(): number {
    const first = this.#samples[0]
    const last = this.#samples.at(-1)
    if (first === undefined || last === undefined || last.atMs === first.atMs) return 0
    return Math.max(0, ((last.bytes - first.bytes) / (last.atMs - first.atMs)) * 1000)
  }
}
