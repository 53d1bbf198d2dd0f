/**
 * Runs the test files, each in its own process, as many at once as there are processors.
 *
 *     node --conditions=warren-source test/run.ts [--directory=test] [part of a file's name …]
 *
 * Prints a line for each file, the output of those that failed, and `N passed, N failed` last.
 * The exit code is 1 when anything failed or nothing ran.
 */
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { killRunningTests, runTestFile } from './runner/run-test-file.ts'
import type { TestResult } from './runner/run-test-file.ts'
import { findTestFiles } from './runner/test-file.ts'
import type { TestFile } from './runner/test-file.ts'

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    killRunningTests()
    process.exit(1)
  })
}

/** Notes stand under the name of the file. */
const NOTE_INDENT = ' '.repeat(22)

const { values, positionals: filters } = parseArgs({
  options: { directory: { type: 'string', default: import.meta.dirname } },
  allowPositionals: true
})
const files = await findTestFiles(resolve(values.directory), filters)
if (files.length === 0) console.log(`No test file matches ${filters.join(', ') || 'at all'}.`)

const results = await runAll(files)
const failures = results.filter(result => result.problem !== undefined)
if (failures.length > 0) console.log('\nFailed:')
for (const { name, problem } of failures) console.log(`  ${name}: ${problem}`)

const passed = sum(results.map(result => result.passed))
const failed = sum(results.map(result => result.failed))
const skipped = sum(results.map(result => result.skipped))
process.exitCode = failed > 0 || files.length === 0 ? 1 : 0
console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)

async function runAll(files: readonly TestFile[]): Promise<TestResult[]> {
  const results: TestResult[] = []
  const waiting = files.values()
  const work = async (): Promise<void> => {
    // Both workers take from one iterator: each file is run once.
    for (const file of waiting) {
      const result = await runTestFile(file)
      results.push(result)
      report(result)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  return results
}

function report(result: TestResult): void {
  const { name, problem, passed, seconds, output, skipReasons } = result
  const time = `${seconds.toFixed(1)} s`.padStart(8)
  const verdict = (problem === undefined ? `${passed} passed` : 'FAILED').padStart(12)
  console.log(`${verdict}${time}  ${name}${problem === undefined ? '' : `: ${problem}`}`)
  for (const reason of skipReasons) console.log(`${NOTE_INDENT}skipped: ${reason}`)
  if (result.leftProcesses) console.log(`${NOTE_INDENT}left a process running, killed`)
  if (problem !== undefined) console.log(output.trimEnd().replaceAll(/^/gm, '    | '))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
