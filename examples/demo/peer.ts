/**
 * One peer of the demo, in a process of its own: it does what the parent says, one message at a
 * time, with nothing but the public interface of the library.
 */
import { createWarren } from 'warren'
import type { TransferProgress, TransferReport } from 'warren'

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

/** What the parent sends, and what it gets. */
export interface Question {
  readonly id: number
  readonly verb: keyof PeerVerbs
  readonly args: readonly string[]
}

export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string }
  | { readonly progress: TransferProgress }

/** How often a file is read while a change of it is awaited, in milliseconds. */
const LOOK_MS = 5

/** The parent tells them apart by the directory it gives to each. */
const [directory = ''] = process.argv.slice(2)

const warren = await createWarren({
  directory,
  listen: ['/ip4/127.0.0.1/tcp/0'],
  discovery: false
})

const onProgress = (progress: TransferProgress): void => say({ progress })

type Answering = {
  readonly [Verb in keyof PeerVerbs]: (
    ...args: Parameters<PeerVerbs[Verb]>
  ) => ReturnType<PeerVerbs[Verb]> | Promise<ReturnType<PeerVerbs[Verb]>>
}

const verbs: Answering = {
  address: () => warren.addresses()[0] ?? '',
  async mirror(hostPath, path) {
    const rounds = warren.mirror(hostPath, path, { inPlace: true, onProgress })
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
  export: async (path, hostPath) => figuresOf(await warren.export(path, hostPath, { onProgress })),
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

process.on('message', (question: Question) => void answer(question))
// Whoever started us has gone.
process.on('disconnect', () => process.exit())
say({ id: 0, value: warren.id })

async function answer({ id, verb, args }: Question): Promise<void> {
  try {
    const work = verbs[verb] as (...args: readonly string[]) => unknown
    say({ id, value: await work(...args) })
  } catch (error) {
    say({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}

async function goOn(rounds: AsyncIterator<TransferReport>): Promise<void> {
  while ((await rounds.next()).done !== true) {
    // Published now, and not a moment later by itself.
    await warren.sync()
  }
}

function say(answer: Answer): void {
  process.send?.(answer)
}

function figuresOf({ files, bytes, skipped, failed }: TransferReport): TransferFigures {
  const reasons = failed.map(({ path, error }) => `${path}: ${error.message}`)
  return { files, bytes, skipped, failed: reasons }
}
