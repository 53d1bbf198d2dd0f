/**
 * All calls of one peer: one channel for each other peer and protocol, opened by whoever calls and
 * opened again after it was lost. What a channel runs over is the business of `open`.
 */
import { WarrenError } from '../errors.ts'
import { Call } from './call.ts'
import { CallClient } from './call-client.ts'
import { CallServer } from './call-server.ts'
import { Channel } from './channel.ts'
import type { Clock } from './clock.ts'
import type { CallHandler, CallOptions, OutgoingMessage, PeerId, Protocol } from './peer.ts'
import type { Wire } from './wire.ts'

export interface CallsComponents {
  readonly clock: Clock
  /** Connects if need be and opens a wire for a protocol, within a deadline of its own. */
  readonly open: (peer: PeerId, protocol: Protocol) => Promise<Wire>
  /** Something arrived from this peer. */
  readonly heard?: (peer: PeerId) => void
}

export class Calls {
  readonly #components: CallsComponents
  readonly #handlers = new Map<Protocol, CallHandler>()
  readonly #clients = new Map<string, Promise<CallClient>>()
  readonly #ends = new Set<CallClient | CallServer>()

  constructor(components: CallsComponents) {
    this.#components = components
  }

  protocols(): Protocol[] {
    return [...this.#handlers.keys()]
  }

  serves(protocol: Protocol): boolean {
    return this.#handlers.has(protocol)
  }

  /** Throws `EEXIST` when the protocol is served already. Returns how to stop. */
  serve(protocol: Protocol, handler: CallHandler): () => void {
    if (this.#handlers.has(protocol)) {
      throw new WarrenError('EEXIST', { message: `${protocol} is served already` })
    }
    this.#handlers.set(protocol, handler)
    return () => {
      if (this.#handlers.get(protocol) === handler) this.#handlers.delete(protocol)
    }
  }

  call(to: PeerId, protocol: Protocol, request: OutgoingMessage, options?: CallOptions): Call {
    const components = {
      clock: this.#components.clock,
      begin: async (call: Call, signal: AbortSignal) =>
        (await this.#client(to, protocol)).begin(call, signal)
    }
    return new Call(components, request, options)
  }

  /** Opens the channel that calls will use, if it is not open. */
  async open(to: PeerId, protocol: Protocol): Promise<void> {
    await this.#client(to, protocol)
  }

  /** Another peer opened a wire. */
  accept(from: PeerId, protocol: Protocol, wire: Wire): void {
    const handler = (): CallHandler | undefined => this.#handlers.get(protocol)
    this.#run(new CallServer({ channel: this.#channel(from, wire), from, handler }))
  }

  /** Ends every call under way, both those asked and those answered, with `ECONNRESET`. */
  abort(message: string): void {
    const error = new WarrenError('ECONNRESET', { message })
    for (const end of this.#ends) end.abort(error)
  }

  /** The client of the open channel; in place of one that is not usable another is opened. */
  async #client(to: PeerId, protocol: Protocol): Promise<CallClient> {
    const key = `${to} ${protocol}`
    const existing = this.#clients.get(key)
    if (existing !== undefined) {
      const client = await existing
      if (client.usable) return client
      if (this.#clients.get(key) === existing) this.#clients.delete(key)
      return this.#client(to, protocol)
    }
    const opening = this.#open(to, protocol)
    this.#clients.set(key, opening)
    const forget = (): void => {
      if (this.#clients.get(key) === opening) this.#clients.delete(key)
    }
    opening.then(client => this.#run(client, forget), forget)
    return opening
  }

  async #open(to: PeerId, protocol: Protocol): Promise<CallClient> {
    return new CallClient(this.#channel(to, await this.#components.open(to, protocol)))
  }

  #channel(peer: PeerId, wire: Wire): Channel {
    return new Channel(wire, { heard: () => this.#components.heard?.(peer) })
  }

  #run(end: CallClient | CallServer, whenDone = (): void => {}): void {
    this.#ends.add(end)
    void end.run().then(() => {
      this.#ends.delete(end)
      whenDone()
    })
  }
}
