/** One end of a channel in the hands of a test: it writes any frames and bytes, and sees all that comes. */
import { Channel } from '../../src/peer/channel.ts'
import type { Frame, FrameFields } from '../../src/peer/frames.ts'
import { encodeFrame } from '../../src/peer/frames.ts'
import type { Carry, MemoryWire } from '../../src/peer/memory-wire.ts'
import { createWirePair } from '../../src/peer/memory-wire.ts'
import { within } from '../contracts/peer-contract.ts'

const atOnce: Carry = (_, deliver) => deliver()

export interface RawChannel {
  /** For the code under test. */
  readonly channel: Channel
  readonly wire: MemoryWire
  send(fields: FrameFields): void
  sendBytes(bytes: Uint8Array): void
  /** The next frame; rejects when the channel was ended. */
  receive(): Promise<Frame>
}

export function createRawChannel(): RawChannel {
  const { near, far } = createWirePair(atOnce, atOnce)
  const arrived: Frame[] = []
  const batches = new Channel(near).receive()[Symbol.asyncIterator]()
  return {
    channel: new Channel(far),
    wire: near,
    send: fields => near.send(encodeFrame(fields).parts),
    sendBytes: bytes => near.send([bytes]),
    async receive() {
      while (arrived.length === 0) {
        const { value } = await within(batches.next())
        arrived.push(...(value as Frame[]))
      }
      return arrived.shift()!
    }
  }
}
