/**
 * A libp2p stream as a wire. It keeps to the stream's events because its promise of being drained
 * resolves early from the second use on, and its async iterator has no back-pressure.
 */
import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { WarrenError } from '../errors.ts'
import { STREAM_UNREAD_BYTES_MAX, UNREAD_BYTES_MAX, UNSENT_BYTES_MAX } from './limits.ts'
import { updateWindowRarely } from './window-updates.ts'
import type { Wire } from './wire.ts'

export class StreamWire implements Wire {
  readonly chunks: AsyncIterable<readonly Uint8Array[]>
  readonly #stream: Stream
  #unread: Uint8Array[] = []
  #unreadBytes = 0
  #lost: Error | undefined
  #wakeReader: (() => void) | undefined
  #drained: PromiseWithResolvers<void> | undefined

  /** Listens at once: what arrives at a stream without listeners is limited. */
  constructor(stream: Stream) {
    this.#stream = stream
    this.chunks = this.#read()
    updateWindowRarely(stream)
    stream.maxWriteBufferLength = UNSENT_BYTES_MAX
    stream.maxReadBufferLength = STREAM_UNREAD_BYTES_MAX
    stream.addEventListener('message', this.#onMessage)
    stream.addEventListener('drain', this.#onDrain)
    stream.addEventListener('remoteCloseWrite', this.#onRemoteClose)
    stream.addEventListener('close', this.#onClose)
    if (stream.status !== 'open') this.#lose(lost(`the stream is ${stream.status}`))
  }

  get full(): boolean {
    return this.#stream.writableNeedsDrain || this.#stream.writeBufferLength > 0
  }

  get unsentBytes(): number {
    return this.#stream.writeBufferLength
  }

  send(parts: readonly Uint8Array[]): void {
    if (this.#lost !== undefined) throw this.#lost
    try {
      this.#stream.send(listOf(parts))
    } catch (cause) {
      throw lost('sending to the stream', cause)
    }
  }

  async drained(): Promise<void> {
    if (this.#lost !== undefined) throw this.#lost
    if (!this.full) return
    this.#drained ??= Promise.withResolvers<void>()
    await this.#drained.promise
  }

  abort(reason: Error): void {
    this.#lose(reason)
    this.#stream.abort(reason)
  }

  readonly #onMessage = ({ data }: StreamMessageEvent): void => {
    if (data instanceof Uint8Array) this.#unread.push(data)
    else for (const chunk of data) this.#unread.push(chunk)
    this.#unreadBytes += data.byteLength
    if (this.#unreadBytes > UNREAD_BYTES_MAX) this.#stream.pause()
    this.#wakeReader?.()
  }

  /** The stream itself goes on sending what it holds in a microtask, queued before this one. */
  readonly #onDrain = (): void => {
    queueMicrotask(() => {
      if (this.full) return
      this.#drained?.resolve()
      this.#drained = undefined
    })
  }

  readonly #onRemoteClose = (): void => this.#lose(lost('the peer closed the channel'))

  readonly #onClose = (event: StreamCloseEvent): void => {
    this.#lose(lost('the stream has closed', event.error))
  }

  #lose(reason: Error): void {
    if (this.#lost !== undefined) return
    this.#lost = reason
    this.#drained?.promise.catch(() => {})
    this.#drained?.reject(reason)
    this.#wakeReader?.()
  }

  async *#read(): AsyncGenerator<readonly Uint8Array[]> {
    while (true) {
      if (this.#unread.length > 0) {
        const chunks = this.#unread
        const paused = this.#unreadBytes > UNREAD_BYTES_MAX
        this.#unread = []
        this.#unreadBytes = 0
        if (paused && this.#lost === undefined) this.#stream.resume()
        yield chunks
      } else if (this.#lost !== undefined) {
        throw this.#lost
      } else {
        await new Promise<void>(resolve => (this.#wakeReader = resolve))
      }
    }
  }
}

type Sendable = Parameters<Stream['send']>[0]

/** Several arrays as one message, not joined. libp2p's copy of the class may be of another version. */
function listOf(parts: readonly Uint8Array[]): Sendable {
  return new Uint8ArrayList(...parts) as unknown as Sendable
}

function lost(message: string, cause?: unknown): WarrenError {
  return new WarrenError('ECONNRESET', { message, cause })
}
