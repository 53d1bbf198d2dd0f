/** How often streams of yamux tell the other side of new room. */
import assert from 'node:assert/strict'
import { suite } from 'uvu'
import type { Stream } from '@libp2p/interface'
import { STREAM_WINDOW_BYTES } from '../../src/peer/limits.ts'
import { updateWindowRarely } from '../../src/peer/window-updates.ts'

const test = suite('window updates')

const ESTABLISHED = 3
const KIB = 1024

/** A stream that counts what it tells, with the fields of yamux. */
function createStream(fields: { readonly state?: number } = {}) {
  const stream = {
    state: ESTABLISHED,
    recvWindow: 256 * KIB,
    recvWindowCapacity: 256 * KIB,
    told: [] as number[],
    sendWindowUpdate(): void {
      this.told.push(this.recvWindow - this.recvWindowCapacity)
      this.recvWindowCapacity = this.recvWindow
    },
    receive(bytes: number): void {
      this.recvWindowCapacity -= bytes
      this.sendWindowUpdate()
    },
    ...fields
  }
  updateWindowRarely(stream as unknown as Stream)
  return stream
}

test('begins with the larger window, and tells when half of it is used', () => {
  const stream = createStream()
  stream.receive(1)
  assert.deepEqual(stream.told, [STREAM_WINDOW_BYTES - 256 * KIB + 1])
  for (let index = 0; index < 64; index++) stream.receive(STREAM_WINDOW_BYTES / 8)
  assert.equal(stream.told.length, 1 + 64 / 4)
})

test('tells at once while a stream is being opened, because the update says that it is', () => {
  for (const state of [0, 1, 2]) {
    const stream = createStream({ state })
    stream.sendWindowUpdate()
    stream.sendWindowUpdate()
    assert.equal(stream.told.length, 2)
  }
})

test('leaves streams of other muxers as they are', () => {
  const sendWindowUpdate = (): void => {}
  for (const stream of [{}, { sendWindowUpdate }, { state: 3, recvWindow: 1, sendWindowUpdate }]) {
    const before = { ...stream }
    updateWindowRarely(stream as unknown as Stream)
    assert.deepEqual(stream, before)
  }
})

test.run()
