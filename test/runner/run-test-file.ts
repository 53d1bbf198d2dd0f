/**
 * Runs one test file in a process group of its own, so that a file that hangs can be ended
 * together with every process that it has started.
 */
import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { judge } from './outcome.ts'
import type { Outcome, ProcessEnding } from './outcome.ts'
import type { TestFile } from './test-file.ts'

/** Enough for any failure; a file that prints without end must not fill the memory. */
const OUTPUT_CHARACTERS_MAX = 1024 * 1024

export interface TestResult extends Outcome {
  readonly name: string
  readonly seconds: number
  /** What the file printed on stdout and stderr, in order; the end of it where it is very long. */
  readonly output: string
  /** Whether processes that the file had started outlived it; they have been killed. */
  readonly leftProcesses: boolean
}

/** How long output may stay open after the end of a file, held by a process in another group. */
const OUTPUT_MS_MAX = 2_000

type TestProcess = ChildProcessByStdio<null, Readable, Readable>

const groups = new Set<number>()

/** Ends every test that is running now, with all its processes. */
export function killRunningTests(): void {
  for (const group of groups) killGroup(group)
}

/** Under the flags of this process, which say that the package's own name means its sources. */
export async function runTestFile(file: TestFile): Promise<TestResult> {
  const startedAt = performance.now()
  const child = spawn(process.execPath, [...process.execArgv, file.path], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: plainEnvironment()
  })
  if (child.pid === undefined) throw new Error('the test process could not be started')
  groups.add(child.pid)
  const { leftProcesses, ...ending } = await end(child, child.pid, file.limitSeconds)
  groups.delete(child.pid)
  const seconds = (performance.now() - startedAt) / 1000
  return { name: file.name, seconds, output: ending.output, leftProcesses, ...judge(ending) }
}

/** Without colours, which would only be in the way when the output is read. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const { FORCE_COLOR: _, ...environment } = process.env
  return { ...environment, NO_COLOR: '1' }
}

async function end(
  child: TestProcess,
  group: number,
  limitSeconds: number
): Promise<ProcessEnding & { readonly leftProcesses: boolean }> {
  const outputs = [child.stdout, child.stderr]
  let output = ''
  for (const stream of outputs) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-OUTPUT_CHARACTERS_MAX)
    })
  }
  let overran = false
  const timer = setTimeout(() => {
    overran = true
    killGroup(group)
  }, limitSeconds * 1000)
  const closed = once(child, 'close')
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  clearTimeout(timer)
  const leftProcesses = killGroup(group) && !overran
  const closing = setTimeout(() => outputs.forEach(stream => stream.destroy()), OUTPUT_MS_MAX)
  await closed
  clearTimeout(closing)
  const overranSeconds = overran ? { overranSeconds: limitSeconds } : {}
  return { code, signal, output, leftProcesses, ...overranSeconds }
}

/** Whether there was anything to kill. */
function killGroup(group: number): boolean {
  try {
    return process.kill(-group, 'SIGKILL')
  } catch {
    return false
  }
}
