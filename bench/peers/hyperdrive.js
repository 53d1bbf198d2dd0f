/** Hyperdrive over a Noise stream on loopback TCP, without the DHT; copies with its own mirror. */
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { basename, dirname, join } from 'node:path'
import Corestore from 'corestore'
import Hyperdrive from 'hyperdrive'
import Localdrive from 'localdrive'
import { answerCalls } from '../../test/fixtures/answer-calls.ts'
import { createUsageMeter, timeRanges, timed } from '../side.ts'

const RANGE_BYTES = 64 * 1024

let store
let server
let drive

function replicate(socket, isInitiator) {
  const stream = store.replicate(isInitiator)
  stream.on('error', () => {})
  socket.on('error', () => {})
  socket.setNoDelay(true)
  socket.pipe(stream).pipe(socket)
}

answerCalls({
  usage: createUsageMeter(),
  start: directory => {
    store = new Corestore(join(directory, 'store'))
  },
  provide: async source => {
    drive = new Hyperdrive(store)
    await drive.ready()
    const isFile = (await stat(source)).isFile()
    const local = new Localdrive(isFile ? dirname(source) : source)
    const prefix = isFile ? `/${basename(source)}` : '/'
    await local.mirror(drive, { prefix, batch: true }).done()
    server = createServer(socket => replicate(socket, false)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const name = isFile ? basename(source) : undefined
    return { key: drive.key.toString('hex'), port: server.address().port, name }
  },
  connect: async ({ key, port }) => {
    drive = new Hyperdrive(store, Buffer.from(key, 'hex'))
    await drive.ready()
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    replicate(socket, true)
    await drive.update({ wait: true })
  },
  /** What is in the drive is downloaded as a whole while the mirror walks through it. */
  fetch: ({ name }, target) =>
    timed(async () => {
      const local = new Localdrive(name === undefined ? target : dirname(target))
      const download = await drive.download('/')
      await drive.mirror(local).done()
      await download?.done?.()
    }),
  readRanges: async ({ name }, _directory, offsets, atOnce) => {
    const read = async start => {
      const pieces = []
      for await (const piece of drive.createReadStream(`/${name}`, {
        start,
        length: RANGE_BYTES
      })) {
        pieces.push(piece)
      }
      return Buffer.concat(pieces)
    }
    return await timeRanges(read, offsets, atOnce)
  },
  stop: async () => {
    server?.close()
    await store?.close()
  }
})
