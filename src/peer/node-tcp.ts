/**
 * The TCP transport of libp2p, with what is sent together written together.
 *
 * Noise hands over three arrays for each of its frames: a length, the ciphertext, a tag. The
 * transport writes each to the socket by itself, and without Nagle's algorithm each is a system call
 * and a packet: some 65,000 for a GiB instead of 4,000. A socket that is corked writes them in one
 * call.
 */
import type { MultiaddrConnection, Transport, Upgrader } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import type { TCPComponents, TCPOptions } from '@libp2p/tcp'
import { Socket } from 'node:net'

/** What the transport's connections are, beside what they promise to be. */
interface TcpConnection {
  readonly socket: Socket
  sendData(parts: Parts): SendResult
}

type Parts = Iterable<Uint8Array> & { readonly byteLength: number }

interface SendResult {
  readonly sentBytes: number
  readonly canSendMore: boolean
}

export function gatheringTcp(options: TCPOptions = {}): (components: TCPComponents) => Transport {
  return components => {
    const transport = tcp(options)(components)
    const dial = transport.dial.bind(transport)
    const createListener = transport.createListener.bind(transport)
    transport.dial = (address, dialOptions) =>
      dial(address, { ...dialOptions, upgrader: gathering(dialOptions.upgrader) })
    transport.createListener = listenerOptions =>
      createListener({ ...listenerOptions, upgrader: gathering(listenerOptions.upgrader) })
    return transport
  }
}

/** An upgrader sees each connection before anything is sent over it. */
function gathering(upgrader: Upgrader): Upgrader {
  return new Proxy(upgrader, {
    get: (target, name) => {
      if (name === 'upgradeOutbound' || name === 'upgradeInbound') {
        return (connection: MultiaddrConnection, ...rest: unknown[]) => {
          gatherWrites(connection)
          return Reflect.apply(target[name], target, [connection, ...rest])
        }
      }
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}

/** Connections of a transport that has changed its ways stay as they are. */
function gatherWrites(connection: object): void {
  if (!isTcpConnection(connection)) return
  const { socket } = connection
  connection.sendData = parts => {
    socket.cork()
    for (const part of parts) socket.write(part)
    socket.uncork()
    // Everything is taken; should the kernel not take it from the socket at once, more has to wait.
    const canSendMore = socket.writableLength < socket.writableHighWaterMark
    return { sentBytes: parts.byteLength, canSendMore }
  }
}

function isTcpConnection(connection: object): connection is TcpConnection {
  const { socket, sendData } = connection as Partial<TcpConnection>
  return socket instanceof Socket && typeof sendData === 'function'
}
