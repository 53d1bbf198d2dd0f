/**
 * The `warren` command as a user runs it: in processes of its own, over loopback, with a directory
 * and an environment that nobody else has.
 *
 * Exports: `runHere(args, options)`, the same in the process of the test, which is much faster;
 * `runWarren(args, options)` → `{ code, stdout, stderr }` when it has ended;
 * `startWarren(args, options)` → `RunningCommand`, for `share`, meant for `await using`.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from '../../src/cli/run.ts'
import type { Warren } from '../../src/index.ts'

const MAIN = new URL('../../src/cli/main.ts', import.meta.url)

/** As long as the test file that takes longest: a share runs until its test kills it. */
const COMMAND_MS_MAX = 240_000

/** Everything stays on this machine. */
export const LOOPBACK: readonly string[] = ['--listen', '/ip4/127.0.0.1/tcp/0', '--no-discovery']

export interface CommandOptions {
  /** Default: the one of this process, without `WARREN_DIRECTORY`. */
  readonly environment?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Words put before the command, as those that enter a network namespace. */
  readonly through?: readonly string[]
  /** What is run instead of the command. */
  readonly main?: URL
}

export interface CommandResult {
  /** Null when it was ended by a signal. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** For what ends by itself. Environment variables are those that are given, and no others. */
export async function runHere(
  args: readonly string[],
  options: {
    readonly environment?: Readonly<Record<string, string>>
    readonly signal?: AbortSignal
    /** The peer that runs already. */
    readonly home?: Warren
  } = {}
): Promise<CommandResult> {
  const { environment = {}, signal = AbortSignal.timeout(COMMAND_MS_MAX), home } = options
  const inside = home === undefined ? {} : { home }
  const stdout = new Collector()
  const stderr = new Collector()
  const code = await run(args, { stdout, stderr, environment, signal, ...inside })
  return { code, stdout: stdout.text, stderr: stderr.text }
}

class Collector {
  text = ''

  write(data: string | Uint8Array, done: () => void): void {
    this.text += typeof data === 'string' ? data : Buffer.from(data).toString()
    done()
  }
}

export async function runWarren(
  args: readonly string[],
  options: CommandOptions = {}
): Promise<CommandResult> {
  return await startWarren(args, options).ended
}

export function startWarren(args: readonly string[], options: CommandOptions = {}): RunningCommand {
  return new RunningCommand(args, options)
}

export class RunningCommand implements AsyncDisposable {
  readonly ended: Promise<CommandResult>
  readonly #child: ChildProcess
  #stdout = ''
  #stderr = ''
  #code: number | null | undefined

  constructor(args: readonly string[], options: CommandOptions) {
    const { environment, cwd, through = [], main = MAIN } = options
    const { WARREN_DIRECTORY: _, ...inherited } = process.env
    const words = [...through, process.execPath, ...process.execArgv, fileURLToPath(main), ...args]
    this.#child = spawn(words[0]!, words.slice(1), {
      env: { ...inherited, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd })
    })
    running.add(this.#child)
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text))
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), COMMAND_MS_MAX)
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject)
      this.#child.once('close', code => {
        clearTimeout(timer)
        running.delete(this.#child)
        this.#code = code
        resolve({ code, stdout: this.#stdout, stderr: this.#stderr })
      })
    })
  }

  get stdout(): string {
    return this.#stdout
  }

  get stderr(): string {
    return this.#stderr
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Resolves when stdout or stderr says this; rejects when the command ends without. */
  async said(pattern: RegExp, stream: 'stdout' | 'stderr' = 'stdout'): Promise<string> {
    for (;;) {
      const match = pattern.exec(this[stream])
      if (match !== null) return match[0]
      if (this.#code !== undefined) {
        throw new Error(`ended with ${this.#code} without saying ${pattern}: ${this.#stderr}`)
      }
      await sleep(10)
    }
  }

  /** The first line of stdout. */
  async firstLine(): Promise<string> {
    return (await this.said(/^.*\n/)).trim()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended
  }
}
