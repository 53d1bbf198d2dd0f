/**
 * One call as its caller sees it: an async iterable of answers that starts when it is first asked
 * for one. Written by hand and not as a generator because `return()` must cancel at once, even
 * while a `next()` waits: that is how a subscription is ended.
 */
import { WarrenError } from '../errors.ts'
import type { Clock } from './clock.ts'
import { Fifo } from './fifo.ts'
import type { CallOptions, IncomingMessage, OutgoingMessage } from './peer.ts'
import { SILENCE_MS_MAX, WINDOW_BYTES } from './limits.ts'

/** Where a call goes once it has a channel. */
export interface CallSession {
  /** Called as the reader takes messages: the sender may send as much again. */
  taken(bytes: number): void
  /** The reader wants no more; `silent` when it has waited in vain. */
  cancel(options: { readonly silent: boolean }): void
}

/** Connects, calls `open`, sends the request, and reports to the call from then on. */
export type BeginCall = (call: Call, signal: AbortSignal) => Promise<void>

type Result = IteratorResult<IncomingMessage, undefined>

const WINDOW_BYTES_LIMIT = 0xffff_ffff
const DONE: Result = { done: true, value: undefined }

export class Call implements AsyncIterableIterator<IncomingMessage> {
  readonly request: OutgoingMessage
  readonly windowBytes: number
  readonly silenceMs: number
  readonly #begin: BeginCall
  readonly #clock: Clock
  readonly #signal: AbortSignal | undefined
  readonly #opening = new AbortController()
  readonly #unread = new Fifo<{ readonly message: IncomingMessage; readonly bytes: number }>()
  readonly #waiting = new Fifo<PromiseWithResolvers<Result>>()
  #started = false
  #session: CallSession | undefined
  #ending: { readonly error?: unknown } | undefined
  #stopTimer: (() => void) | undefined

  constructor(
    components: { readonly begin: BeginCall; readonly clock: Clock },
    request: OutgoingMessage,
    options: CallOptions = {}
  ) {
    this.request = request
    this.windowBytes = options.windowBytes ?? WINDOW_BYTES
    this.silenceMs = options.silenceMs ?? SILENCE_MS_MAX
    if (!(this.windowBytes >= 1 && this.windowBytes <= WINDOW_BYTES_LIMIT)) {
      throw new TypeError(`windowBytes is ${this.windowBytes}, not 1 to ${WINDOW_BYTES_LIMIT}`)
    }
    if (!(this.silenceMs > 0)) throw new TypeError(`silenceMs is ${this.silenceMs}, not positive`)
    this.#begin = components.begin
    this.#clock = components.clock
    this.#signal = options.signal
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<Result> {
    if (!this.#started) this.#start()
    const unread = this.#unread.shift()
    if (unread !== undefined) {
      this.#session?.taken(unread.bytes)
      return { done: false, value: unread.message }
    }
    if (this.#ending !== undefined) return this.#settle(this.#ending)
    const waiting = Promise.withResolvers<Result>()
    this.#waiting.push(waiting)
    this.#listenForSilence()
    return waiting.promise
  }

  async return(): Promise<Result> {
    this.#started = true
    this.#finish({})
    return DONE
  }

  /** There is a channel. Returns false when the call has ended meanwhile and must not be sent. */
  open(session: CallSession): boolean {
    if (this.#ending !== undefined) return false
    this.#session = session
    if (this.#waiting.length > 0) this.#listenForSilence()
    return true
  }

  /** An answer arrived. */
  deliver(message: IncomingMessage, bytes: number): void {
    if (this.#ending !== undefined) return
    this.#stopTimer?.()
    this.#stopTimer = undefined
    const waiting = this.#waiting.shift()
    if (waiting === undefined) {
      this.#unread.push({ message, bytes })
      return
    }
    waiting.resolve({ done: false, value: message })
    this.#session?.taken(bytes)
    if (this.#waiting.length > 0) this.#listenForSilence()
  }

  /** The other side ended the call, or it was lost: what has arrived can still be read. */
  end(error?: unknown): void {
    this.#session = undefined
    this.#close(error === undefined ? {} : { error })
  }

  #start(): void {
    this.#started = true
    this.#signal?.addEventListener('abort', this.#onAbort)
    if (this.#signal?.aborted === true) this.#onAbort()
    else this.#begin(this, this.#opening.signal).catch(error => this.#finish({ error }))
  }

  /** Connecting has its own deadline; from then on the other side must not stay silent. */
  #listenForSilence(): void {
    if (this.#session === undefined || this.silenceMs === Infinity) return
    this.#stopTimer ??= this.#clock.after(this.silenceMs, () => {
      const message = `no answer within ${this.silenceMs} ms`
      this.#finish({ error: new WarrenError('ETIMEDOUT', { message }) }, { silent: true })
    })
  }

  readonly #onAbort = (): void => {
    this.#finish({ error: this.#signal?.reason })
  }

  /** Ends the call from this side: nothing more is read, and the other side is told. */
  #finish(ending: { readonly error?: unknown }, { silent } = { silent: false }): void {
    this.#unread.clear()
    const session = this.#session
    this.#session = undefined
    this.#close(ending)
    this.#opening.abort(ending.error)
    session?.cancel({ silent })
  }

  #close(ending: { readonly error?: unknown }): void {
    if (this.#ending !== undefined) return
    this.#ending = ending
    this.#stopTimer?.()
    this.#stopTimer = undefined
    this.#signal?.removeEventListener('abort', this.#onAbort)
    for (let waiting = this.#waiting.shift(); waiting; waiting = this.#waiting.shift()) {
      this.#settle(this.#ending).then(waiting.resolve, waiting.reject)
    }
  }

  /** An error is thrown once; after it the iterable has ended, as with generators. */
  async #settle(ending: { readonly error?: unknown }): Promise<Result> {
    this.#ending = {}
    if ('error' in ending) throw ending.error
    return DONE
  }
}
