/**
 * Programs that are not Node: started, watched through `/proc`, and ended again. A program and the
 * children it forks count as one side. Memory is looked at twenty times a second; the processor time
 * of a child that has ended is kept by the parent that waited for it.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { delimiter, join } from 'node:path'
import { peakRssOf } from '../side.ts'
import type { Usage } from '../side.ts'

const LOOK_EVERY_MS = 50

/** What Linux counts processor time in, on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100

/** `sbin` too, where servers are, though it may not be in the path of a user. */
export function findProgram(name: string): string | undefined {
  const places = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return places.map(place => join(place, name)).find(path => existsSync(path))
}

export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

/**
 * Says how the program ended, and waits to be looked at: what an ended program used is lost unless
 * its parent lives.
 */
const RUN = '"$0" "$@" >&2; echo $?; read -r _'

/** What is left when the benchmark is interrupted; they would not notice. */
const running = new Set<ForeignSide>()
process.once('exit', () => {
  for (const side of running) side.kill()
})

/** One side: programs and all that they fork. */
export class ForeignSide implements AsyncDisposable {
  readonly #children: ChildProcess[] = []
  /** By process; of those that have ended too. */
  readonly #peaks = new Map<number, number>()
  #ticks = 0
  readonly #timer: NodeJS.Timeout
  #ticksBefore = 0

  constructor() {
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS)
    running.add(this)
  }

  /** Runs until it is disposed of. */
  serve(program: string, args: readonly string[]): ChildProcess {
    const child = spawn(program, args, { stdio: 'ignore' })
    this.#children.push(child)
    return child
  }

  /** Resolves when the program has ended well. */
  async run(program: string, args: readonly string[], signal: AbortSignal): Promise<void> {
    const child = spawn('sh', ['-c', RUN, program, ...args], { stdio: 'pipe', signal })
    this.#children.push(child)
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
    const code = await new Promise<string>((resolve, reject) => {
      child.once('error', reject).once('close', () => resolve('its shell'))
      child.stdout.setEncoding('utf8').once('data', (text: string) => resolve(text.trim()))
    })
    if (code !== '0') throw new Error(`${program} ended with ${code}: ${said.trim()}`)
  }

  /** Since the last call; the peak is the sum of each process's own. */
  usage(): Usage {
    this.#look()
    const cpuSeconds = (this.#ticks - this.#ticksBefore) / TICKS_PER_SECOND
    this.#ticksBefore = this.#ticks
    return { cpuSeconds, peakRssMiB: [...this.#peaks.values()].reduce((sum, one) => sum + one, 0) }
  }

  /** Kindly, so that each can end its own children. */
  kill(): void {
    for (const child of this.#children) child.kill('SIGTERM')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    running.delete(this)
    for (const child of this.#children) await end(child)
  }

  #look(): void {
    const parents = readParents()
    const waiting = this.#children.flatMap(({ pid }) => (pid === undefined ? [] : [pid]))
    this.#ticks = 0
    for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
      this.#ticks += ticksOf(pid)
      const peak = peakRssOf(readText(`/proc/${pid}/status`) ?? '')
      if (!Number.isNaN(peak)) this.#peaks.set(pid, peak)
      for (const [child, parent] of parents) if (parent === pid) waiting.push(child)
    }
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const ended = new Promise(resolve => child.once('close', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await ended
  clearTimeout(timer)
}

/** The parent of every process. */
function readParents(): Map<number, number> {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger)
  return new Map(pids.map(pid => [pid, Number(readStat(pid)?.[1] ?? NaN)]))
}

/** Its own and those of the children it has waited for. */
function ticksOf(pid: number): number {
  const times = readStat(pid)?.slice(11, 15) ?? []
  return times.reduce((sum, ticks) => sum + Number(ticks), 0)
}

/** The fields behind the name, which may hold spaces: state, parent, …, times. */
function readStat(pid: number): string[] | undefined {
  return readText(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, '')
    .split(' ')
}

/** Undefined when the process has just ended. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
