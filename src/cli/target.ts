/**
 * What `ls`, `cat`, `stat` and `get` look at: a link, with a path below it where one is given, or a
 * path of the namespace. Links and `/peers/…` are looked at as a guest.
 */
import { posix } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { WarrenError } from '../errors.ts'
import type { Warren } from '../index.ts'
import { TaskError } from './failure.ts'
import { isLink } from './link.ts'
import { mountLink } from './mount-link.ts'
import { openGuest, openHome } from './open-warren.ts'
import type { Settings } from './settings.ts'
import { UsageError } from './usage-error.ts'

export interface OpenTarget extends AsyncDisposable {
  readonly warren: Warren
  /** Where in the namespace of the peer it stands. */
  readonly path: string
}

/** Whoever is on the local network has been found by then; a person looks at a listing meanwhile. */
const FIND_MS = 5_000

/** How often it is looked whether a peer was found. */
const LOOK_MS = 50

/** `below` is a path below a link. The caller disposes of what it gets. */
export async function openTarget(
  [text, below]: readonly [target: string, below?: string | undefined],
  settings: Settings,
  signal: AbortSignal
): Promise<OpenTarget> {
  if (isLink(text)) return openLink(text, { below, settings, signal })
  if (!text.startsWith('/')) {
    throw new UsageError(`${text}: neither a link (warren:…) nor a path that begins with /`)
  }
  if (below !== undefined) throw new UsageError(`${below}: only a link has a path after it`)
  const [, top, peer] = posix.normalize(text).split('/')
  if (top !== 'peers') return { ...own(await openHome(settings)), path: text }
  const warren = await openGuest(settings)
  const target = { ...own(warren), path: text }
  if (peer) await closeOnFailure(warren, untilKnown(warren, peer, { settings, signal }))
  return target
}

async function openLink(
  link: string,
  {
    below = '',
    settings,
    signal
  }: {
    readonly below?: string | undefined
    readonly settings: Settings
    readonly signal: AbortSignal
  }
): Promise<OpenTarget> {
  const warren = await openGuest(settings)
  const { discovery, timeoutMs } = settings
  const patienceMs = discovery ? Math.min(timeoutMs, FIND_MS) : 0
  const path = await closeOnFailure(
    warren,
    mountLink(warren, link, { timeoutMs, patienceMs, signal })
  )
  return { ...own(warren), path: posix.join(path, below) }
}

async function untilKnown(
  warren: Warren,
  id: string,
  { settings, signal }: { readonly settings: Settings; readonly signal: AbortSignal }
): Promise<void> {
  const deadline = performance.now() + settings.timeoutMs
  while (!warren.peer.known().some(peer => peer.id === id)) {
    if (performance.now() > deadline) {
      const error = new WarrenError('EHOSTUNREACH', { message: 'no such peer was found' })
      throw new TaskError(`/peers/${id}`, error, WHERE_IS_IT)
    }
    await sleep(LOOK_MS, undefined, { signal })
  }
}

const WHERE_IS_IT = "'warren peers' lists who is there; one elsewhere is told by --peer <multiaddr>"

function own(warren: Warren): AsyncDisposable & { readonly warren: Warren } {
  return { warren, [Symbol.asyncDispose]: () => warren.stop() }
}

async function closeOnFailure<Value>(warren: Warren, work: Promise<Value>): Promise<Value> {
  try {
    return await work
  } catch (error) {
    await warren.stop()
    throw error
  }
}
