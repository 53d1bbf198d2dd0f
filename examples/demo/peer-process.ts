/** Starts a peer in a process of its own and asks it to do things: `answer-parent.ts` is its half. */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { TransferProgress } from 'warren'
import { STARTED } from './answer-parent.ts'
import type { Answer, Question, VerbsOf } from './answer-parent.ts'

/** How long one thing may take: the demo ends by itself, whatever happens. */
const ANSWER_MS_MAX = 240_000

export class PeerProcess<Verbs extends VerbsOf<Verbs>> {
  readonly name: string
  /** Told how far an import or export has come. */
  onProgress: ((progress: TransferProgress) => void) | undefined
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #lastId = 0
  #id = ''

  constructor(name: string, module: URL, args: readonly string[]) {
    this.name = name
    this.#child = fork(fileURLToPath(module), args)
    this.#child.on('message', (answer: Answer) => this.#hear(answer))
    this.#child.once('exit', (code, signal) => {
      const error = new Error(`${name} has ended with ${signal ?? `code ${code}`}`)
      for (const { reject } of this.#waiting.values()) reject(error)
    })
  }

  /** Resolves when the peer runs that the module makes, given these words. */
  static async start<Verbs extends VerbsOf<Verbs>>(
    name: string,
    module: URL,
    ...args: readonly string[]
  ): Promise<PeerProcess<Verbs>> {
    const peer = new PeerProcess<Verbs>(name, module, args)
    peer.#id = (await peer.#await(STARTED)) as string
    return peer
  }

  get id(): string {
    return this.#id
  }

  get processId(): number {
    return this.#child.pid ?? 0
  }

  async ask<Verb extends string & keyof Verbs>(
    verb: Verb,
    ...args: Parameters<Verbs[Verb]>
  ): Promise<ReturnType<Verbs[Verb]>> {
    const question: Question = { id: ++this.#lastId, verb, args }
    this.#child.send(question)
    return (await this.#await(question.id)) as ReturnType<Verbs[Verb]>
  }

  /** `kill -9`: no goodbye, nothing is saved. Resolves when the process is gone. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await gone
  }

  async #await(id: number): Promise<unknown> {
    const answer = Promise.withResolvers<unknown>()
    this.#waiting.set(id, answer)
    const timer = setTimeout(
      () => answer.reject(new Error(`${this.name} has not answered for ${ANSWER_MS_MAX / 1000} s`)),
      ANSWER_MS_MAX
    )
    try {
      return await answer.promise
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(id)
    }
  }

  #hear(answer: Answer): void {
    if ('progress' in answer) this.onProgress?.(answer.progress)
    else if ('error' in answer) {
      this.#waiting.get(answer.id)?.reject(new Error(`${this.name}: ${answer.error}`))
    } else this.#waiting.get(answer.id)?.resolve(answer.value)
  }
}
