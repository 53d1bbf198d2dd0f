/** What the measurement of a curve is given. */
export interface Scale {
  readonly files: readonly number[]
  readonly fileMiB: readonly number[]
  /** Files of nothing but a hole: taken in and read from, but not fetched as a whole. */
  readonly sparseMiB: readonly number[]
  readonly fetchers: readonly number[]
}

export interface ScaleRun {
  /** Removed afterwards. */
  readonly directory: string
  readonly scale: Scale
  readonly flagsOf: (process: string) => readonly string[]
  readonly warmMemory: () => void
  readonly say: (line: string) => void
}

/** A million files at some thousand a second, or 100 GiB at some hundred MiB/s. */
export const CALL_MS_MAX = 900_000
