/** One side of a workload: a warren in a process of its own, told what to do by the benchmark. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createWarren } from 'warren'
import type { Warren } from 'warren'
import { answerCalls } from '../test/fixtures/answer-calls.ts'

let warren: Warren | undefined
const delays = monitorEventLoopDelay({ resolution: 5 })
delays.enable()

/** What a process has used until now. */
export interface Usage {
  readonly cpuSeconds: number
  readonly peakRssMiB: number
  /** The longest the event loop was held up since the last call, in milliseconds. */
  readonly heldUpMs: number
}

export interface Timed {
  readonly milliseconds: number
}

async function timed(work: () => Promise<unknown>): Promise<Timed> {
  const began = performance.now()
  await work()
  return { milliseconds: performance.now() - began }
}

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
  usage: (): Usage => {
    const { user, system } = process.cpuUsage()
    const heldUpMs = delays.max / 1e6
    delays.reset()
    const peakRssMiB = process.resourceUsage().maxRSS / 1024
    return { cpuSeconds: (user + system) / 1e6, peakRssMiB, heldUpMs }
  },
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
  /** Reads a range of 64 KiB at each offset; resolves to the latencies. */
  readRanges: async (path: string, offsets: readonly number[], atOnce: number) => {
    const latencies: number[] = []
    const rest = offsets.values()
    const file = await open().fs.open(path)
    const buffer = (): Uint8Array => new Uint8Array(64 * 1024)
    const work = async (): Promise<void> => {
      const target = buffer()
      for (const offset of rest) {
        const began = performance.now()
        await file.read(target, 0, target.length, offset)
        latencies.push(performance.now() - began)
      }
    }
    const { milliseconds } = await timed(() => Promise.all(Array.from({ length: atOnce }, work)))
    await file.close()
    return { latencies, milliseconds }
  }
})

async function readAt(path: string, position: number): Promise<void> {
  const file = await open().fs.open(path)
  try {
    const { bytesRead } = await file.read(new Uint8Array(64 * 1024), 0, 64 * 1024, position)
    if (bytesRead === 0) throw new Error('nothing was read')
  } finally {
    await file.close()
  }
}
