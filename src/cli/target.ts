/**
 * What `ls`, `cat`, `stat` and `get` look at: a link, with a path below it where one is given, or a
 * path of the namespace. Links and `/peers/…` are looked at as a guest.
 */
import { posix } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { WarrenError } from '../errors.ts'
import type { Warren } from '../index.ts'
import { TaskError, during } from './failure.ts'
import { isFileName } from './file-name.ts'
import { openGuest, openHome } from './open-warren.ts'
import type { Settings } from './settings.ts'
import { UsageError } from './usage-error.ts'

export interface OpenTarget extends AsyncDisposable {
  readonly warren: Warren
  /** Where in the namespace of the peer it stands. */
  readonly path: string
}

/** How often it is looked whether a peer was found. */
const LOOK_MS = 50

/** What a share is called that has no name here. */
const NAMELESS = 'shared'

export function isLink(text: string): boolean {
  return /^warren:/i.test(text)
}

/** What a link calls its share; made up where it does not say. Safe as the name of a file. */
export function nameOfLink(link: string): string {
  const { searchParams, pathname } = parseUri(link)
  const last = pathname
    .split('/')
    .slice(1)
    .map(decode)
    .findLast(part => part !== '')
  return [searchParams.get('name') ?? '', last ?? ''].find(isFileName) ?? NAMELESS
}

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
  const path = await closeOnFailure(warren, mountLink(warren, link, { settings, signal }))
  return { ...own(warren), path: posix.join(path, below) }
}

/** Resolves to the path at which the link is mounted. */
export async function mountLink(
  warren: Warren,
  link: string,
  { settings, signal }: { readonly settings: Settings; readonly signal: AbortSignal }
): Promise<string> {
  const path = `/${nameOfLink(link)}`
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(settings.timeoutMs)])
  await during('opening the link', asUsage(warren.mount(path, link, { signal: deadline })))
  return path
}

/** A link that cannot be read is a mistake on the command line. */
export async function asUsage<Value>(work: Promise<Value>): Promise<Value> {
  try {
    return await work
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'EINVAL') throw error
    throw new UsageError(message.replace(/^EINVAL: invalid argument: /, ''))
  }
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

function parseUri(link: string): URL {
  try {
    return new URL(link)
  } catch {
    throw new UsageError('that is not a link (warren:…)')
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
