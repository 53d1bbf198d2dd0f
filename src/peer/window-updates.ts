/**
 * Fewer window updates of yamux. Its streams grant the other side new room after each frame, and
 * each grant is a packet of its own that both sides encrypt, write, read and decrypt: for a random
 * read of 64 KiB more of them than of data. When half of the window is used is soon enough, and
 * what other implementations do.
 */
import type { Stream } from '@libp2p/interface'
import { STREAM_WINDOW_BYTES } from './limits.ts'

/** What yamux' streams are, beside what they promise to be. */
interface YamuxStream {
  readonly state: number
  /** How far the other side may go, and how much of it is left, in bytes. */
  recvWindow: number
  readonly recvWindowCapacity: number
  sendWindowUpdate(): void
}

/** Opened by both sides and not paused. In every other state an update says more than a number. */
const ESTABLISHED = 3

/** Streams of another muxer, or of one that has changed its ways, stay as they are. */
export function updateWindowRarely(stream: Stream): void {
  if (!isYamuxStream(stream)) return
  stream.recvWindow = Math.max(stream.recvWindow, STREAM_WINDOW_BYTES)
  const sendWindowUpdate = stream.sendWindowUpdate.bind(stream)
  stream.sendWindowUpdate = () => {
    const isRoomy = stream.recvWindowCapacity > stream.recvWindow / 2
    if (stream.state !== ESTABLISHED || !isRoomy) sendWindowUpdate()
  }
}

function isYamuxStream(stream: object): stream is YamuxStream {
  const { state, recvWindow, recvWindowCapacity, sendWindowUpdate } = stream as Partial<YamuxStream>
  return (
    [state, recvWindow, recvWindowCapacity].every(value => typeof value === 'number') &&
    typeof sendWindowUpdate === 'function'
  )
}
