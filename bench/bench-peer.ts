/** One side of a workload: a warren in a process of its own, told what to do by the benchmark. */
import { createWarren } from 'warren'
import type { Warren } from 'warren'
import { answerCalls } from '../test/fixtures/answer-calls.ts'
import { createUsageMeter, timed, timeRanges } from './side.ts'

const RANGE_BYTES = 64 * 1024

let warren: Warren | undefined

function open(): Warren {
  if (warren === undefined) throw new Error('the warren was not started')
  return warren
}

answerCalls({
  start: async (directory: string) => {
    warren = await createWarren({
      directory,
      listen: ['/ip4/127.0.0.1/tcp/0'],
      discovery: false
    })
  },
  stop: async () => {
    await warren?.stop()
    warren = undefined
  },
  usage: createUsageMeter(),
  invite: async () => {
    await open().replication.set('/', { replicas: 2 })
    return open().replication.invite()
  },
  hold: async (invitation: string) => {
    await open().replication.pledge({ bytes: 2 ** 40 })
    await open().replication.accept(invitation)
  },
  /** Blocks that this holder has not got yet. */
  missing: () =>
    open()
      .replication.held()
      .reduce((sum, held) => sum + held.missingBlocks, 0),
  share: () => open().share('/'),
  mount: (link: string) => open().mount('/remote', link),
  import: (host: string, path: string, inPlace: boolean) =>
    timed(async () => {
      await open().import(host, path, { inPlace })
      await open().sync()
    }),
  export: (path: string, host: string) => timed(() => open().export(path, host)),
  /** Connects, resolves, opens, and reads the first 64 KiB. */
  firstByte: (link: string, path: string) =>
    timed(async () => {
      await open().mount('/remote', link)
      await readAt(path, 0)
    }),
  list: (path: string) =>
    timed(async () => {
      let bytes = 0
      const entries = await open().fs.readdir(path, { withStats: true })
      for (const { stats } of entries) bytes += stats?.size ?? NaN
      if (!(bytes > 0)) throw new Error('nothing was listed')
    }),
  /** The same as one who knows only Node's verbs does it. */
  listOneByOne: (path: string) =>
    timed(async () => {
      let bytes = 0
      const names = await open().fs.readdir(path)
      for (const name of names) bytes += (await open().fs.stat(`${path}/${name}`)).size
      if (!(bytes > 0)) throw new Error('nothing was listed')
    }),
  readRanges: async (path: string, offsets: readonly number[], atOnce: number) => {
    const file = await open().fs.open(path)
    const read = async (offset: number): Promise<Uint8Array> => {
      const { buffer } = await file.read(new Uint8Array(RANGE_BYTES), 0, RANGE_BYTES, offset)
      return buffer
    }
    try {
      return await timeRanges(read, offsets, atOnce)
    } finally {
      await file.close()
    }
  }
})

async function readAt(path: string, position: number): Promise<void> {
  const file = await open().fs.open(path)
  try {
    const { bytesRead } = await file.read(new Uint8Array(RANGE_BYTES), 0, RANGE_BYTES, position)
    if (bytesRead === 0) throw new Error('nothing was read')
  } finally {
    await file.close()
  }
}
