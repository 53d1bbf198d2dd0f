/** Counts what a transfer does and tells its caller now and then. */
import type { TransferOptions, TransferReport } from '../transfer.ts'

/** Often enough for a moving bar, rarely enough to cost nothing. */
const PROGRESS_MS = 100

/** Failures kept one by one; a million unreadable files are still counted by what is missing. */
const FAILURES_MAX = 10_000

export class TransferLog {
  files = 0
  directories = 0
  symlinks = 0
  bytes = 0
  skipped = 0
  removed = 0
  filesTotal: number | undefined
  bytesTotal: number | undefined
  /** Bytes of files that are under way or done, skipped ones too: what a progress bar shows. */
  #bytesPassed = 0
  #filesPassed = 0
  #path = ''
  #toldAt = -Infinity
  readonly #failed: { readonly path: string; readonly error: Error }[] = []
  readonly #onProgress: TransferOptions['onProgress']

  constructor(options: TransferOptions) {
    this.#onProgress = options.onProgress
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
    if (this.#failed.length >= FAILURES_MAX) return
    this.#failed.push({ path, error: error instanceof Error ? error : new Error(String(error)) })
  }

  report(): TransferReport {
    this.#toldAt = -Infinity
    this.#tell(this.#path)
    const { files, directories, symlinks, bytes, skipped, removed } = this
    return { files, directories, symlinks, bytes, skipped, removed, failed: this.#failed }
  }

  #tell(path: string): void {
    this.#path = path
    if (this.#onProgress === undefined || performance.now() - this.#toldAt < PROGRESS_MS) return
    this.#toldAt = performance.now()
    this.#onProgress({
      files: this.#filesPassed,
      bytes: this.#bytesPassed,
      path,
      ...(this.filesTotal === undefined ? {} : { filesTotal: this.filesTotal }),
      ...(this.bytesTotal === undefined ? {} : { bytesTotal: this.bytesTotal })
    })
  }
}
