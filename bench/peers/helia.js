/** Helia with bitswap over libp2p (tcp, noise, yamux) and blocks on disk; reads in sessions. */
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { withBitswap } from '@helia/bitswap'
import { withLibp2pLight } from '@helia/libp2p'
import { globSource, unixfs } from '@helia/unixfs'
import { identify } from '@libp2p/identify'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { FsBlockstore } from 'blockstore-fs'
import { FsDatastore } from 'datastore-fs'
import { createHeliaLight } from 'helia'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { answerCalls } from '../../test/fixtures/answer-calls.ts'
import { createUsageMeter, timeRanges, timed } from '../side.ts'

const RANGE_BYTES = 64 * 1024

/** Enough to hide the 10 ms that bitswap waits before it sends its wants. */
const FILES_AT_ONCE = 256

/** The root is the directory itself, not its last file. */
const WRAPPED = { wrapWithDirectory: true }

let helia

/** A file system whose blocks are asked of the provider, without a look into any routing. */
function openSession({ root, addresses }) {
  const cid = CID.parse(root)
  const providers = [addresses.map(address => multiaddr(address))]
  const blockstore = helia.blockstore.createSession(cid, { providers, maxProviders: 1 })
  return { cid, fs: unixfs({ ...helia, blockstore }) }
}

/** A raw block is always a file, so that only the others have to be looked into. */
async function isDirectory(fs, cid) {
  return cid.code !== raw.code && (await fs.stat(cid)).type === 'directory'
}

/** Every file below the directory, with its path. */
async function* listFiles(fs, cid, path) {
  for await (const entry of fs.ls(cid)) {
    const entryPath = join(path, entry.name)
    if (await isDirectory(fs, entry.cid)) yield* listFiles(fs, entry.cid, entryPath)
    else yield { cid: entry.cid, path: entryPath }
  }
}

async function writeTo(fs, cid, target) {
  await pipeline(Readable.from(fs.cat(cid)), createWriteStream(target))
}

async function fetchTree(fs, cid, target) {
  const files = listFiles(fs, cid, target)
  const work = async () => {
    for await (const file of files) {
      await mkdir(dirname(file.path), { recursive: true })
      await writeTo(fs, file.cid, file.path)
    }
  }
  await Promise.all(Array.from({ length: FILES_AT_ONCE }, work))
}

answerCalls({
  usage: createUsageMeter(),
  start: async directory => {
    const light = createHeliaLight({
      blockstore: new FsBlockstore(join(directory, 'blocks')),
      datastore: new FsDatastore(join(directory, 'data'))
    })
    const settings = {
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: { identify: identify() }
    }
    helia = await withBitswap(withLibp2pLight(light, settings)).start()
  },
  provide: async source => {
    const fs = unixfs(helia)
    const addresses = helia.libp2p.getMultiaddrs().map(String)
    let root
    if ((await stat(source)).isFile()) root = await fs.addByteStream(createReadStream(source))
    else for await (const { cid } of fs.addAll(globSource(source, '**/*'), WRAPPED)) root = cid
    return { root: root.toString(), addresses }
  },
  connect: async ({ addresses }) => {
    await helia.libp2p.dial(addresses.map(address => multiaddr(address)))
  },
  fetch: (link, target) =>
    timed(async () => {
      const { cid, fs } = openSession(link)
      if (await isDirectory(fs, cid)) await fetchTree(fs, cid, target)
      else await writeTo(fs, cid, target)
    }),
  readRanges: async (link, _directory, offsets, atOnce) => {
    const { cid, fs } = openSession(link)
    const read = async offset => {
      const pieces = []
      for await (const piece of fs.cat(cid, { offset, length: RANGE_BYTES })) pieces.push(piece)
      return Buffer.concat(pieces)
    }
    return await timeRanges(read, offsets, atOnce)
  },
  stop: () => helia.stop()
})
