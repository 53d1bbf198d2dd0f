/** What a workload is given, and what it is. */
import type { Figures } from './figures.ts'
import type { System } from './system.ts'

export interface Sizes {
  readonly fileMiB: number
  readonly files: number
  readonly ranges: number
  readonly listed: number
}

/** Test data on the host, shared by the runs. */
export interface Data {
  readonly file: string
  readonly tree: string
  readonly listed: string
}

export interface Run {
  /** A directory of this run's own, removed afterwards. */
  readonly directory: string
  readonly data: Data
  readonly sizes: Sizes
  readonly figures: Figures
  /** Those to measure W1, W2 and W3 with; warren is the first. */
  readonly systems: readonly System[]
  /** Node flags of a process, which is named for the directory of its profile. */
  readonly flagsOf: (process: string) => readonly string[]
  /** Takes the memory that a workload needs from the host beforehand. */
  readonly warmMemory: () => void
  /** What another system has failed at once. */
  readonly failures: Set<string>
  /** For a line to whoever waits. */
  readonly say: (line: string) => void
}

export type Workload = (run: Run) => Promise<void>
