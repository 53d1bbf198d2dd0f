/**
 * What the end of a test process and its output say about the tests in it.
 *
 * Uvu ends its output with the lines `Total:`, `Passed:` and `Skipped:`. Its exit code alone does
 * not tell enough: a suite that was never run exits with 0, and so does a file that calls
 * `process.exit(0)` half-way.
 */
import { stripVTControlCharacters } from 'node:util'

export interface ProcessEnding {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Set when the process had to be killed: the limit that it overran. */
  readonly overranSeconds?: number
  readonly output: string
}

export interface Outcome {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** What is wrong with the file, for people; `undefined` when nothing is. */
  readonly problem?: string
  /** The reasons of its `skipped: <reason>` lines. */
  readonly skipReasons: readonly string[]
}

const SUMMARY = /^ {2}Total: {5}(\d+)\n {2}Passed: {4}(\d+)\n {2}Skipped: {3}(\d+)\n/gm
const SKIP_LINE = /^skipped: (.+)$/gm

export function judge(ending: ProcessEnding): Outcome {
  const output = stripVTControlCharacters(ending.output)
  const skipReasons = [...output.matchAll(SKIP_LINE)].map(match => match[1]!)
  let total = 0
  let passed = 0
  let skipped = 0
  const summaries = [...output.matchAll(SUMMARY)]
  for (const summary of summaries) {
    total += Number(summary[1])
    passed += Number(summary[2])
    skipped += Number(summary[3])
  }
  const wrong = total - passed
  const problem = findProblem(ending, { summaries: summaries.length, total, wrong, skipReasons })
  // A problem that no single test owns counts as one failed test: the file.
  const failed = problem !== undefined && wrong === 0 ? 1 : wrong
  skipped = Math.max(skipped, skipReasons.length)
  return { passed, failed, skipped, skipReasons, ...(problem === undefined ? {} : { problem }) }
}

interface Counts {
  readonly summaries: number
  readonly total: number
  readonly wrong: number
  readonly skipReasons: readonly string[]
}

function findProblem(ending: ProcessEnding, counts: Counts): string | undefined {
  if (ending.overranSeconds !== undefined) {
    return `still running after ${ending.overranSeconds} s, killed`
  }
  if (ending.signal !== null) return `killed by ${ending.signal}`
  if (counts.wrong > 0) return `${counts.wrong} failed`
  if (ending.code !== 0) return `exit code ${ending.code}`
  if (counts.summaries === 0) return 'ended without running its tests'
  if (counts.total === 0 && counts.skipReasons.length === 0) return 'has no test that runs'
  return undefined
}
