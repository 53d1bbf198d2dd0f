/** Hyperdrive over a Noise stream on loopback TCP, without the DHT; taken in by its own mirror. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import Corestore from 'corestore'
import Hyperdrive from 'hyperdrive'
import Localdrive from 'localdrive'
import { answerCalls } from '../../test/fixtures/answer-calls.ts'
import { createUsageMeter, timeRanges, timed } from '../side.ts'

const RANGE_BYTES = 64 * 1024
const FILES_AT_ONCE = 16

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

/** A generator, since several can read from one at a time. */
async function* listFiles() {
  yield* drive.list('/')
}

/** Everything in the drive, with its path below the directory. */
async function writeFiles(directory) {
  const entries = listFiles()
  const work = async () => {
    for await (const entry of entries) {
      const path = join(directory, entry.key)
      await mkdir(dirname(path), { recursive: true })
      await pipeline(drive.createReadStream(entry), createWriteStream(path))
    }
  }
  await Promise.all(Array.from({ length: FILES_AT_ONCE }, work))
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
  /** Not by its mirror, which writes file by file: several at once are half again as fast. */
  fetch: ({ name }, target) =>
    timed(async () => {
      const download = await drive.download('/')
      await writeFiles(name === undefined ? target : dirname(target))
      await download?.done?.()
    }),
  readRanges: async ({ name }, _directory, offsets, atOnce) => {
    const read = async start => {
      const pieces = []
      const range = drive.createReadStream(join('/', name), { start, length: RANGE_BYTES })
      for await (const piece of range) pieces.push(piece)
      return Buffer.concat(pieces)
    }
    return await timeRanges(read, offsets, atOnce)
  },
  stop: async () => {
    server?.close()
    await store?.close()
  }
})
