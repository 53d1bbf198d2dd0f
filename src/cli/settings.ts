/** The options that every verb has, and what they and the environment come to. */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Warren } from '../index.ts'
import type { OptionTable } from './command.ts'
import { isListenAddress } from './listen-address.ts'
import { UsageError } from './usage-error.ts'

export const GLOBAL_OPTIONS: OptionTable = {
  json: { type: 'boolean', help: 'print for programs: one JSON object a line; errors too' },
  directory: {
    type: 'string',
    argument: '<folder>',
    help: 'where this peer keeps everything (default: $WARREN_DIRECTORY, else $XDG_DATA_HOME/warren, else ~/.local/share/warren)'
  },
  'no-discovery': { type: 'boolean', help: 'do not look for peers on the local network' },
  listen: {
    type: 'string',
    multiple: true,
    argument: '<multiaddr>',
    help: 'listen here, may be repeated (default: for share TCP on every interface, for others nowhere)'
  },
  peer: {
    type: 'string',
    multiple: true,
    argument: '<multiaddr>',
    help: 'connect to this peer, may be repeated'
  },
  timeout: {
    type: 'string',
    argument: '<seconds>',
    help: 'how long to wait for other peers without any progress (default: 30)'
  },
  help: { type: 'boolean', short: 'h', help: 'tell how the command is used' }
}

/** Long enough for a peer that wakes up, short enough for a person who waits. */
const TIMEOUT_MS = 30_000

/** More than a day is a mistake, and timers cannot count beyond 24 days. */
const TIMEOUT_SECONDS_MAX = 86_400

/** What `parseArgs` makes of them. */
export interface GlobalOptionValues {
  readonly directory?: string
  readonly 'no-discovery'?: boolean
  readonly listen?: readonly string[]
  readonly peer?: readonly string[]
  readonly timeout?: string
}

export interface Settings {
  readonly directory: string
  readonly discovery: boolean
  /** Undefined: what the verb does by default. */
  readonly listen: readonly string[] | undefined
  readonly bootstrap: readonly string[]
  readonly timeoutMs: number
  /** The peer of the directory, when it runs in this process already. */
  readonly home?: Warren
}

export function readSettings(
  options: GlobalOptionValues,
  environment: NodeJS.ProcessEnv
): Settings {
  const { directory, listen, peer = [], timeout } = options
  for (const address of listen ?? []) {
    if (isListenAddress(address)) continue
    throw new UsageError(
      `--listen ${address}: not of the form /ip4/<address>/tcp/<port>, or /ip6/…`
    )
  }
  for (const address of peer) {
    if (!address.startsWith('/')) throw new UsageError(`${address}: not a multiaddr (/ip4/…)`)
    if (!address.includes('/p2p/'))
      throw new UsageError(`--peer ${address}: it ends in no /p2p/<id>`)
  }
  return {
    directory: resolve(directory ?? defaultDirectory(environment)),
    discovery: options['no-discovery'] !== true,
    listen,
    bootstrap: peer,
    timeoutMs: timeout === undefined ? TIMEOUT_MS : parseSeconds('timeout', timeout)
  }
}

/** Milliseconds. Throws `UsageError` unless it is a positive number of seconds within reason. */
export function parseSeconds(option: string, text: string): number {
  const seconds = Number(text)
  if (text.trim() !== '' && seconds > 0 && seconds <= TIMEOUT_SECONDS_MAX)
    return Math.ceil(seconds * 1000)
  throw new UsageError(`--${option} ${text}: not a number of seconds up to ${TIMEOUT_SECONDS_MAX}`)
}

/** Variables that are set but empty count as not set: https://specifications.freedesktop.org/basedir-spec/ */
function defaultDirectory(environment: NodeJS.ProcessEnv): string {
  if (environment.WARREN_DIRECTORY) return environment.WARREN_DIRECTORY
  if (environment.XDG_DATA_HOME) return join(environment.XDG_DATA_HOME, 'warren')
  return join(environment.HOME || homedir(), '.local/share/warren')
}
