/** The answering end of a channel: starts handlers, pulls them as windows and channel allow. */
import type { ErrorCode } from '../errors.ts'
import { WarrenError, isWarrenError } from '../errors.ts'
import type { Channel } from './channel.ts'
import type { Frame } from './frames.ts'
import { FRAME_TYPES } from './frames.ts'
import { CALLS_SERVED_MAX, REQUEST_BYTES_MAX, UNREAD_BYTES_MAX } from './limits.ts'
import type { CallHandler, OutgoingMessage, PeerId } from './peer.ts'

/** A window may be added to, but not without end: a larger sum is nonsense or an attack. */
const CREDIT_MAX = 2 * 0xffff_ffff

class ServedCall {
  readonly controller = new AbortController()
  readonly id: number
  readonly requestBytes: number
  credit: number
  #wake: (() => void) | undefined

  constructor(request: Frame) {
    this.id = request.call
    this.requestBytes = request.bytes
    this.credit = request.value
  }

  get cancelled(): boolean {
    return this.controller.signal.aborted
  }

  addCredit(bytes: number): void {
    this.credit += bytes
    this.#wake?.()
  }

  /** The call is over: its handler is told, and nothing more is sent. */
  cancel(reason?: Error): void {
    this.controller.abort(reason)
    this.#wake?.()
  }

  /** Resolves when there may be credit again, or the call is over. */
  async change(): Promise<void> {
    const change = Promise.withResolvers<void>()
    this.#wake = change.resolve
    await change.promise
    this.#wake = undefined
  }
}

export interface CallServerComponents {
  readonly channel: Channel
  readonly from: PeerId
  /** Looked up at each request, so that serving can stop and start while a channel is open. */
  readonly handler: () => CallHandler | undefined
}

export class CallServer {
  readonly #channel: Channel
  readonly #from: PeerId
  readonly #handler: () => CallHandler | undefined
  readonly #calls = new Map<number, ServedCall>()
  /** Handlers at work, those of cancelled calls that still unwind included. */
  #running = 0
  #requestBytes = 0
  #lost = false

  constructor(components: CallServerComponents) {
    this.#channel = components.channel
    this.#from = components.from
    this.#handler = components.handler
  }

  /** Serves until the channel ends, then tells every handler. Never rejects. */
  async run(): Promise<void> {
    try {
      for await (const frames of this.#channel.receive()) {
        for (const frame of frames) {
          this.#receive(frame)
          // A client that asks without reading the answers must not make them pile up here.
          while (this.#channel.unsentBytes > UNREAD_BYTES_MAX) await this.#channel.drained()
        }
      }
      this.abort(new WarrenError('ECONNRESET', { message: 'the peer closed the channel' }))
    } catch (error) {
      this.abort(error as Error)
    }
  }

  /** Ends every call and the channel. Idempotent. */
  abort(error: Error): void {
    if (this.#lost) return
    this.#lost = true
    this.#channel.abort(error)
    for (const call of this.#calls.values()) call.cancel(error)
    this.#calls.clear()
  }

  #receive(frame: Frame): void {
    if (frame.type === FRAME_TYPES.REQUEST) {
      this.#accept(frame)
    } else if (frame.type === FRAME_TYPES.CREDIT) {
      const call = this.#calls.get(frame.call)
      call?.addCredit(frame.value)
      if (call !== undefined && call.credit > CREDIT_MAX) refuse('more credit than can be meant')
    } else if (frame.type === FRAME_TYPES.CANCEL) {
      this.#calls.get(frame.call)?.cancel()
      this.#calls.delete(frame.call)
    } else {
      refuse(`a frame of type ${frame.type} from the client`)
    }
  }

  #accept(request: Frame): void {
    if (this.#calls.has(request.call)) refuse(`call ${request.call} began twice`)
    if (request.value === 0) refuse('a call without a window')
    const handler = this.#handler()
    if (handler === undefined) {
      this.#sendEnd(request.call, 'ENOTSUP')
    } else if (
      this.#running >= CALLS_SERVED_MAX ||
      this.#requestBytes + request.bytes > REQUEST_BYTES_MAX
    ) {
      this.#sendEnd(request.call, 'EBUSY')
    } else {
      void this.#serve(handler, request)
    }
  }

  async #serve(handler: CallHandler, request: Frame): Promise<void> {
    const call = new ServedCall(request)
    this.#calls.set(call.id, call)
    this.#running++
    this.#requestBytes += call.requestBytes
    let code: ErrorCode | undefined
    let isEnded = false
    try {
      const message = { body: request.body, payload: request.payload }
      const context = { from: this.#from, signal: call.controller.signal }
      isEnded = await this.#answer(call, handler(message, context)[Symbol.asyncIterator]())
    } catch (error) {
      code = isWarrenError(error) ? error.code : 'EIO'
    }
    this.#running--
    this.#requestBytes -= call.requestBytes
    if (call.cancelled) return
    this.#calls.delete(call.id)
    if (!isEnded) this.#sendEnd(call.id, code)
  }

  /** True when the last answer has told that it was the last. */
  async #answer(call: ServedCall, answers: AsyncIterator<OutgoingMessage>): Promise<boolean> {
    let exhausted = false
    try {
      while (await this.#mayPull(call)) {
        exhausted = true
        const answer = await answers.next()
        if (answer.done === true) return false
        exhausted = false
        // The channel may have filled meanwhile; then this call waits its turn, message in hand.
        while (this.#channel.full && !call.cancelled) await this.#channel.drained()
        if (call.cancelled) return false
        call.credit -= this.#send(call.id, answer.value)
        if (answer.value.last !== true) continue
        exhausted = true
        exhausted = (await answers.next()).done === true
        return true
      }
      return false
    } finally {
      // A handler that is left early runs its `finally` blocks before its slot is free again.
      if (!exhausted) await answers.return?.()
    }
  }

  async #mayPull(call: ServedCall): Promise<boolean> {
    while (!call.cancelled) {
      if (call.credit <= 0) await call.change()
      else if (this.#channel.full) await this.#channel.drained()
      else return true
    }
    return false
  }

  #send(id: number, { body, payload, last }: OutgoingMessage): number {
    return this.#channel.send({
      type: FRAME_TYPES.ANSWER,
      call: id,
      value: last === true ? 1 : 0,
      body,
      payload: payload ?? []
    })
  }

  #sendEnd(id: number, code: ErrorCode | undefined): void {
    if (this.#lost) return
    try {
      this.#channel.send({ type: FRAME_TYPES.END, call: id, body: code ?? null })
    } catch (error) {
      this.abort(error as Error)
    }
  }
}

function refuse(what: string): never {
  throw new WarrenError('EPROTO', { message: what })
}
