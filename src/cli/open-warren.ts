/**
 * Opens the peer that a verb works with.
 *
 * A guest has nothing on disk: enough to look at what others share, and free to run beside a
 * `warren share`. The peer at home is the one in the directory; one process at a time has it.
 */
import { createServer } from 'node:net'
import type { Warren, WarrenOptions } from '../index.ts'
import { during } from './failure.ts'
import { createPassingBlockStore } from './passing-block-store.ts'
import type { Settings } from './settings.ts'
import { loadState, saveState } from './state-file.ts'

export async function openGuest(settings: Settings): Promise<Warren> {
  const blockStore = createPassingBlockStore()
  const guest = await during(
    'starting a peer',
    createWarren({ ...network(settings), listen: settings.listen ?? [], blockStore })
  )
  blockStore.pin()
  return guest
}

/** What may be said of the own volume beside where it is. */
export type HomeOptions = Pick<WarrenOptions, 'sealed'>

/** Does not listen, unless the settings say where: nobody needs to reach it. */
export function openHome(settings: Settings, options: HomeOptions = {}): Promise<Warren> {
  return during(
    `opening ${settings.directory}`,
    createWarren({
      ...options,
      ...network(settings),
      listen: settings.listen ?? [],
      directory: settings.directory
    })
  )
}

/** For verbs that only look at what is kept, or change it: nothing is looked for on the network. */
export function openHomeOffline(settings: Settings): Promise<Warren> {
  return openHome({ ...settings, discovery: false, listen: [], bootstrap: [] })
}

/** Listens on the port it had before, when that is free: links name the port. */
export async function openHomeForOthers(
  settings: Settings,
  options: HomeOptions = {}
): Promise<Warren> {
  const { directory } = settings
  if (settings.listen !== undefined) return openHome(settings, options)
  const port = (await loadState(directory)).port ?? 0
  const listen = [`/ip4/0.0.0.0/tcp/${(await isFree(port)) ? port : 0}`]
  const warren = await openHome({ ...settings, listen }, options)
  const chosen = portOf(warren.addresses())
  if (chosen !== undefined && chosen !== port) {
    await saveState(directory, { ...(await loadState(directory)), port: chosen })
  }
  return warren
}

/** Loaded when it is needed: help and mistakes are answered without it, and at once. */
async function createWarren(options: WarrenOptions): Promise<Warren> {
  const library = await import('../index.ts')
  return await library.createWarren(options)
}

function network({ discovery, bootstrap, timeoutMs }: Settings): WarrenOptions {
  return { discovery, bootstrap, fetchTimeoutMs: timeoutMs }
}

function portOf(addresses: readonly string[]): number | undefined {
  for (const address of addresses) {
    const port = /\/tcp\/(\d+)/.exec(address)?.[1]
    if (port !== undefined) return Number(port)
  }
  return undefined
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)))
  })
}
