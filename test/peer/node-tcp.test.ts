/** What is sent together is written together, and a full socket is told of. */
import type { Logger, MultiaddrConnection, Upgrader } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { Uint8ArrayList } from 'uint8arraylist'
import { suite } from 'uvu'
import { gatheringTcp } from '../../src/peer/node-tcp.ts'

const test = suite('gathering tcp')

const silent: Logger = Object.assign(() => {}, {
  enabled: false,
  error: () => {},
  trace: () => {},
  newScope: () => silent
})

interface Wires extends AsyncDisposable {
  /** What the transport made of our end. */
  readonly connection: MultiaddrConnection & { readonly socket: Socket }
  readonly other: Socket
}

async function dial(): Promise<Wires> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection')
  const transport = gatheringTcp()({ logger: { forComponent: () => silent } })
  const upgrader = { upgradeOutbound: async (connection: unknown) => connection }
  const { port } = server.address() as AddressInfo
  const connection = await transport.dial(multiaddr(`/ip4/127.0.0.1/tcp/${port}`), {
    upgrader: upgrader as unknown as Upgrader,
    signal: AbortSignal.timeout(30_000)
  })
  const [other] = (await accepted) as [Socket]
  return {
    connection: connection as unknown as Wires['connection'],
    other,
    [Symbol.asyncDispose]: async () => {
      other.destroy()
      connection.abort(new Error('the test is over'))
      server.close()
      await once(server, 'close')
    }
  }
}

test('the parts of a message are one write', async () => {
  await using wires = await dial()
  const { connection, other } = wires
  const writes: number[] = []
  const { socket } = connection
  const writev = socket._writev!.bind(socket)
  socket._writev = (chunks, done) => {
    writes.push(chunks.length)
    writev(chunks, done)
  }
  const parts = [2, 60_000, 16, 2, 1_000, 16].map((bytes, index) =>
    new Uint8Array(bytes).fill(index)
  )
  const received: Buffer[] = []
  other.on('data', bytes => received.push(Buffer.from(bytes)))
  connection.send(new Uint8ArrayList(...parts) as never)
  const expected = Buffer.concat(parts)
  while (received.reduce((sum, { length }) => sum + length, 0) < expected.length) {
    await once(other, 'data')
  }
  assert.deepEqual(writes, [parts.length])
  assert.equal(Buffer.compare(Buffer.concat(received), expected), 0)
})

test('a reader that has stopped makes the sender wait, until it reads again', async () => {
  await using wires = await dial()
  const { connection, other } = wires
  other.pause()
  const message = new Uint8Array(256 * 1024)
  let sent = 0
  for (let more = true; more && sent < 1_000; sent++) more = connection.send(message)
  assert.ok(sent < 1_000, 'the sender was never told to wait')
  assert.ok(connection.socket.writableLength <= 2 * message.length)
  const drained = once(connection, 'drain')
  let read = 0
  other.on('data', bytes => (read += bytes.length)).resume()
  await drained
  while (read < sent * message.length) await once(other, 'data')
  assert.equal(read, sent * message.length)
})

test.run()
