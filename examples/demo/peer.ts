/**
 * One peer of the demo, in a process of its own: it does what the parent says, one message at a
 * time, with nothing but the public interface of the library.
 */
import { createWarren } from 'warren'
import type { TransferReport } from 'warren'
import { answerParent, tellProgress } from './answer-parent.ts'
import type { Answering } from './answer-parent.ts'

/** What the parent may ask, with its arguments and what comes back. */
export interface PeerVerbs {
  address(): string
  /** Resolves when all is taken in; what changes later is taken in as it changes. */
  mirror(hostPath: string, path: string): TransferFigures
  share(path: string): string
  connect(address: string): void
  mount(path: string, link: string): void
  list(path: string): number
  export(path: string, hostPath: string): TransferFigures
  /** Resolves when the file has this content. */
  await(path: string, content: string): void
  figures(): PeerFigures
}

export interface TransferFigures {
  readonly files: number
  readonly bytes: number
  readonly skipped: number
  readonly failed: readonly string[]
}

export interface PeerFigures {
  /** The most memory that the process has had, in bytes. */
  readonly memoryBytes: number
  readonly blocks: number
  readonly blockBytes: number
}

/** How often a file is read while a change of it is awaited, in milliseconds. */
const LOOK_MS = 5

/** The parent tells them apart by the directory it gives to each. */
const [directory = ''] = process.argv.slice(2)

const warren = await createWarren({
  directory,
  listen: ['/ip4/127.0.0.1/tcp/0'],
  discovery: false
})

const verbs: Answering<PeerVerbs> = {
  address: () => warren.addresses()[0] ?? '',
  async mirror(hostPath, path) {
    const rounds = warren.mirror(hostPath, path, { inPlace: true, onProgress: tellProgress })
    const iterator = rounds[Symbol.asyncIterator]()
    const first = await iterator.next()
    if (first.done === true) throw new Error('the mirroring has ended')
    void goOn(iterator)
    return figuresOf(first.value)
  },
  share: path => warren.share(path),
  connect: async address => void (await warren.connect(address)),
  mount: (path, link) => warren.mount(path, link),
  list: async path => (await warren.fs.readdir(path)).length,
  export: async (path, hostPath) =>
    figuresOf(await warren.export(path, hostPath, { onProgress: tellProgress })),
  async await(path, content) {
    while ((await warren.fs.readFile(path, 'utf8').catch(() => '')) !== content) {
      await new Promise(resolve => setTimeout(resolve, LOOK_MS))
    }
  },
  figures() {
    const { blocks, bytes } = warren.usage()
    // Linux and Node say kibibytes.
    return { memoryBytes: process.resourceUsage().maxRSS * 1024, blocks, blockBytes: bytes }
  }
}

answerParent<PeerVerbs>(verbs, warren.id)

async function goOn(rounds: AsyncIterator<TransferReport>): Promise<void> {
  while ((await rounds.next()).done !== true) {
    // Published now, and not a moment later by itself.
    await warren.sync()
  }
}

function figuresOf({ files, bytes, skipped, failed }: TransferReport): TransferFigures {
  const reasons = failed.map(({ path, error }) => `${path}: ${error.message}`)
  return { files, bytes, skipped, failed: reasons }
}
