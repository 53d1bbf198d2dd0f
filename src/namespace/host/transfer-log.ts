/** Counts what a transfer does and tells its caller now and then. */
import type { TransferOptions, TransferReport } from '../transfer.ts'

/** Often enough for a moving bar, rarely enough to cost nothing. */
const PROGRESS_MS = 100

/** Failures kept one by one, lest a million unreadable files fill the memory. */
export const FAILURES_MAX = 10_000

export class TransferLog {
  files = 0
  directories = 0
  symlinks = 0
  bytes = 0
  skipped = 0
  removed = 0
  filesTotal: number | undefined
  bytesTotal: number | undefined
  readonly failures: { readonly path: string; readonly error: Error }[] = []
  /** Bytes of files that are under way or done, skipped ones too: what a progress bar shows. */
  #bytesPassed = 0
  #filesPassed = 0
  #path = ''
  #toldAt = -Infinity
  readonly #onProgress: TransferOptions['onProgress']
  readonly #now: () => number

  /** `now` in milliseconds, from any beginning. */
  constructor(options: TransferOptions, now: () => number = () => performance.now()) {
    this.#onProgress = options.onProgress
    this.#now = now
  }

  file(path: string, bytes: number): void {
    this.files++
    this.bytes += bytes
    this.#filesPassed++
    this.#tell(path)
  }

  skip(path: string, bytes: number): void {
    this.skipped++
    this.#filesPassed++
    this.passed(path, bytes)
  }

  /** Some bytes of a file have arrived where they belong. */
  passed(path: string, bytes: number): void {
    this.#bytesPassed += bytes
    this.#tell(path)
  }

  fail(path: string, error: unknown): void {
    if (this.failures.length >= FAILURES_MAX) return
    const cause = error instanceof Error ? error : new Error(String(error))
    this.failures.push({ path, error: cause })
  }

  /** The last progress says that all there was is done: what failed or vanished is no longer to come. */
  report(): TransferReport {
    this.filesTotal = this.#filesPassed
    this.bytesTotal = this.#bytesPassed
    this.#toldAt = -Infinity
    this.#tell(this.#path)
    const { files, directories, symlinks, bytes, skipped, removed } = this
    return { files, directories, symlinks, bytes, skipped, removed, failed: this.failures }
  }

  #tell(path: string): void {
    this.#path = path
    if (this.#onProgress === undefined) return
    const now = this.#now()
    if (now - this.#toldAt < PROGRESS_MS) return
    this.#toldAt = now
    this.#onProgress({
      files: this.#filesPassed,
      bytes: this.#bytesPassed,
      path,
      ...(this.filesTotal === undefined ? {} : { filesTotal: this.filesTotal }),
      ...(this.bytesTotal === undefined ? {} : { bytesTotal: this.bytesTotal })
    })
  }
}
