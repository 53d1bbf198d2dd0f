/** The asking end of a channel: sends requests, hands answers to their calls, keeps the limits. */
import { WarrenError, isErrorCode } from '../errors.ts'
import type { Call } from './call.ts'
import type { Channel } from './channel.ts'
import { Fifo } from './fifo.ts'
import type { Frame } from './frames.ts'
import { FRAME_TYPES, HEADER_BYTES } from './frames.ts'
import { CALLS_MAX, REQUEST_BYTES_MAX } from './limits.ts'

interface Session {
  readonly call: Call
  readonly requestBytes: number
  /** 0 until the request is sent. */
  id: number
  /** How many frames had arrived when the request was sent, for any call. */
  framesBefore: number
  /** What the other side may still send; it goes below zero by one message at most. */
  credit: number
  /** What the reader has taken and the other side has not been told of. */
  taken: number
}

/** Telling of a quarter of the window at a time keeps the sender busy with few CREDIT frames. */
const CREDITS_PER_WINDOW = 4

export class CallClient {
  readonly #channel: Channel
  readonly #sessions = new Map<number, Session>()
  readonly #turns = new Fifo<() => void>()
  #requestBytes = 0
  #lastId = 0
  #frames = 0
  #suspect = false
  #lost: { readonly error: unknown } | undefined

  constructor(channel: Channel) {
    this.#channel = channel
  }

  /** False when it was lost, or seems to be: then new calls should use another channel. */
  get usable(): boolean {
    return this.#lost === undefined && !this.#suspect
  }

  /** Reads until the channel ends, then ends every call. Never rejects. */
  async run(): Promise<void> {
    try {
      for await (const frames of this.#channel.receive()) {
        this.#frames += frames.length
        for (const frame of frames) this.#receive(frame)
      }
      this.abort(new WarrenError('ECONNRESET', { message: 'the peer closed the channel' }))
    } catch (error) {
      this.abort(error as Error)
    }
  }

  /** Ends every call with this error, and the channel. Idempotent. */
  abort(error: Error): void {
    if (this.#lost !== undefined) return
    this.#lost = { error }
    this.#channel.abort(error)
    for (const session of this.#sessions.values()) session.call.end(error)
    this.#sessions.clear()
    for (let turn = this.#turns.shift(); turn; turn = this.#turns.shift()) turn()
  }

  /** Sends the request of a call, when its turn has come, and reports to the call from then on. */
  async begin(call: Call, signal: AbortSignal): Promise<void> {
    const requestBytes = estimateBytes(call)
    const session: Session = {
      call,
      requestBytes,
      id: 0,
      framesBefore: 0,
      credit: call.windowBytes,
      taken: 0
    }
    const opened = call.open({
      taken: bytes => this.#taken(session, bytes),
      cancel: ({ silent }) => this.#cancel(session, silent)
    })
    if (!opened) return
    // Waiting for a turn counts as silence of the other side: it ends when that has lasted.
    while (this.#busy(requestBytes) && !signal.aborted) await this.#turn()
    if (this.#lost !== undefined) throw this.#lost.error
    if (!signal.aborted) this.#sendRequest(session)
    this.#passTurn()
  }

  #sendRequest(session: Session): void {
    const { request, windowBytes } = session.call
    session.id = this.#nextId()
    session.framesBefore = this.#frames
    this.#sessions.set(session.id, session)
    this.#requestBytes += session.requestBytes
    try {
      this.#channel.send({
        type: FRAME_TYPES.REQUEST,
        call: session.id,
        value: windowBytes,
        body: request.body,
        payload: request.payload ?? []
      })
    } catch (error) {
      this.#forget(session)
      throw error
    }
  }

  #busy(requestBytes: number): boolean {
    if (this.#lost !== undefined) return false
    if (this.#channel.full || this.#sessions.size >= CALLS_MAX) return true
    return this.#sessions.size > 0 && this.#requestBytes + requestBytes > REQUEST_BYTES_MAX
  }

  /** Resolves when something has changed: a call has ended, or the channel has drained. */
  #turn(): Promise<void> {
    if (this.#channel.full) return this.#channel.drained()
    const turn = Promise.withResolvers<void>()
    this.#turns.push(turn.resolve)
    return turn.promise
  }

  #receive(frame: Frame): void {
    const session = this.#sessions.get(frame.call)
    if (frame.type === FRAME_TYPES.ANSWER) {
      if (session === undefined) return
      if (session.credit <= 0) {
        throw new WarrenError('EPROTO', { message: 'an answer beyond the window of its call' })
      }
      session.credit -= frame.bytes
      const isLast = isLastAnswer(frame)
      if (isLast) this.#forget(session)
      session.call.deliver({ body: frame.body, payload: frame.payload }, frame.bytes)
      if (!isLast) return
      session.call.end()
      this.#endWhenUnused()
    } else if (frame.type === FRAME_TYPES.END) {
      if (session === undefined) return
      const error = endError(frame.body)
      this.#forget(session)
      session.call.end(error)
      this.#endWhenUnused()
    } else {
      throw new WarrenError('EPROTO', { message: `a frame of type ${frame.type} from the server` })
    }
  }

  #taken(session: Session, bytes: number): void {
    session.taken += bytes
    if (session.taken < session.call.windowBytes / CREDITS_PER_WINDOW) return
    if (!this.#sessions.has(session.id)) return
    const value = session.taken
    session.credit += value
    session.taken = 0
    this.#channel.send({ type: FRAME_TYPES.CREDIT, call: session.id, value })
  }

  #cancel(session: Session, silent: boolean): void {
    if (!this.#forget(session)) return
    this.#channel.send({ type: FRAME_TYPES.CANCEL, call: session.id })
    // Where nothing at all was heard since, the connection may be dead without knowing it.
    if (silent && session.framesBefore === this.#frames) this.#suspect = true
    this.#endWhenUnused()
  }

  #forget(session: Session): boolean {
    if (!this.#sessions.delete(session.id)) return false
    this.#requestBytes -= session.requestBytes
    this.#passTurn()
    return true
  }

  /** A channel that is suspect gets no new calls; what it still carries may finish. */
  #endWhenUnused(): void {
    if (!this.#suspect || this.#sessions.size > 0) return
    this.abort(new WarrenError('ECONNRESET', { message: 'nothing was heard on the channel' }))
  }

  #passTurn(): void {
    this.#turns.shift()?.()
  }

  #nextId(): number {
    do this.#lastId = (this.#lastId + 1) >>> 0
    while (this.#sessions.has(this.#lastId))
    return this.#lastId
  }
}

/** The payload is what makes a request large; its body is not encoded yet. */
function estimateBytes(call: Call): number {
  let bytes = HEADER_BYTES
  for (const part of call.request.payload ?? []) bytes += part.length
  return bytes
}

function isLastAnswer({ value }: Frame): boolean {
  if (value > 1) throw new WarrenError('EPROTO', { message: `an answer marked with ${value}` })
  return value === 1
}

function endError(body: unknown): WarrenError | undefined {
  if (body === null) return undefined
  if (isErrorCode(body)) return new WarrenError(body, { message: 'answered by the peer' })
  throw new WarrenError('EPROTO', { message: 'a call ended with an unknown code' })
}
