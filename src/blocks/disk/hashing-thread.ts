/** One thread that reads and hashes ranges of files, as seen from where it was started. */
import { Worker } from 'node:worker_threads'
import { HASHING_PROGRAM } from './hash-blocks.ts'
import type { HashAnswer, HashTask } from './hash-blocks.ts'

/** Little is allocated in it; without limits V8 takes tens of mebibytes before it first collects. */
const LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 }

export interface HashingThreadEvents {
  readonly onAnswer: (answer: HashAnswer) => void
  /** It has ended by itself. What it was asked and did not answer is not going to be. */
  readonly onEnd: (unanswered: readonly HashTask[]) => void
}

export class HashingThread {
  /** It answers: before that, waiting for it would take longer than the work. */
  isReady = false
  readonly #worker: Worker
  readonly #asked = new Map<number, HashTask>()
  readonly #events: HashingThreadEvents
  #isOver = false

  /** Throws where threads are not allowed. */
  constructor(memory: SharedArrayBuffer, events: HashingThreadEvents) {
    this.#events = events
    // Nothing of how this process was started is its business, preloaded modules above all.
    this.#worker = new Worker(HASHING_PROGRAM, {
      eval: true,
      name: 'warren hashing',
      workerData: memory,
      resourceLimits: LIMITS,
      env: {},
      execArgv: []
    })
    this.#worker.once('online', () => (this.isReady = true))
    this.#worker.on('message', (answer: HashAnswer) => this.#answered(answer))
    this.#worker.once('error', () => this.#over())
    this.#worker.once('exit', () => this.#over())
    // It keeps the process only while it has something to do.
    this.#worker.unref()
  }

  /** How much it has been asked and has not answered. */
  get load(): number {
    return this.#asked.size
  }

  ask(task: HashTask): void {
    if (this.#asked.size === 0) this.#worker.ref()
    this.#asked.set(task.task, task)
    this.#worker.postMessage(task)
  }

  /** Resolves to what it was asked and did not answer. */
  async end(): Promise<readonly HashTask[]> {
    this.#isOver = true
    this.isReady = false
    await this.#worker.terminate()
    return this.#takeUnanswered()
  }

  #answered(answer: HashAnswer): void {
    if (!this.#asked.delete(answer.task)) return
    if (this.#asked.size === 0) this.#worker.unref()
    this.#events.onAnswer(answer)
  }

  #over(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.isReady = false
    this.#events.onEnd(this.#takeUnanswered())
  }

  #takeUnanswered(): readonly HashTask[] {
    const unanswered = [...this.#asked.values()]
    this.#asked.clear()
    return unanswered
  }
}
