/** WebTorrent over loopback TCP, without tracker and DHT: the provider's address stands in the link. */
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import WebTorrent from 'webtorrent'
import { answerCalls } from '../../test/fixtures/answer-calls.ts'
import { createUsageMeter, timeRanges, timed } from '../side.ts'

const RANGE_BYTES = 64 * 1024

const client = new WebTorrent({
  dht: false,
  tracker: false,
  lsd: false,
  natUpnp: false,
  natPmp: false,
  utPex: false
})

async function add(link, options) {
  const torrent = client.add(link, options)
  await new Promise((resolve, reject) => torrent.once('ready', resolve).once('error', reject))
  return torrent
}

answerCalls({
  usage: createUsageMeter(),
  start: () => {},
  /** The files are seeded where they are. */
  provide: async source => {
    await stat(source)
    const torrent = await new Promise((resolve, reject) => {
      client.once('error', reject)
      client.seed(source, { announceList: [] }, resolve)
    })
    return `${torrent.magnetURI}&x.pe=127.0.0.1:${client.address().port}`
  },
  connect: () => {},
  fetch: (link, target) =>
    timed(async () => {
      const torrent = await add(link, { path: dirname(target) })
      if (!torrent.done) await new Promise(resolve => torrent.once('done', resolve))
    }),
  readRanges: async (link, directory, offsets, atOnce) => {
    const torrent = await add(link, { path: directory, deselect: true })
    const [file] = torrent.files
    const read = async start => {
      const pieces = []
      const end = start + RANGE_BYTES - 1
      for await (const piece of file.createReadStream({ start, end })) pieces.push(piece)
      return Buffer.concat(pieces)
    }
    return await timeRanges(read, offsets, atOnce)
  },
  stop: () => new Promise(resolve => client.destroy(resolve))
})
