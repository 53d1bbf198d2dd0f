/** Options that cannot mean anything are refused before anything is opened. */
import { BLOCK_BYTES_MAX, parseReadKey } from './blocks/index.ts'
import { RETENTION_VERSIONS_MAX } from './namespace/index.ts'
import { WarrenError } from './errors.ts'
import type { WarrenOptions } from './warren.ts'

/** Below this the cost of a block outweighs its bytes. */
const BLOCK_BYTES_MIN = 4 * 1024

/** More threads than any machine has cores say that something else was meant. */
const HASHING_THREADS_MAX = 1024

/** The longest time a timer takes, about 24 days. */
const TIME_MS_MAX = 2 ** 31 - 1

type NumberOption = {
  [Name in keyof WarrenOptions]-?: WarrenOptions[Name] extends number | undefined ? Name : never
}[keyof WarrenOptions]

const RANGES: Readonly<Record<NumberOption, readonly [min: number, max: number]>> = {
  blockBytes: [BLOCK_BYTES_MIN, BLOCK_BYTES_MAX],
  hashingThreads: [0, HASHING_THREADS_MAX],
  nodeCacheBytes: [0, Number.MAX_SAFE_INTEGER],
  attributeLifetimeMs: [0, TIME_MS_MAX],
  retentionMs: [0, Number.MAX_SAFE_INTEGER],
  collectEveryMs: [0, TIME_MS_MAX],
  retentionVersions: [0, RETENTION_VERSIONS_MAX],
  fetchTimeoutMs: [1, TIME_MS_MAX]
}

/** Throws `EINVAL` for a number that is not whole or out of range, a `TypeError` for what has the wrong type. */
export function checkOptions(options: WarrenOptions): void {
  for (const [name, [min, max]] of Object.entries(RANGES)) {
    const value: unknown = options[name as NumberOption]
    if (value === undefined) continue
    if (typeof value !== 'number') throw new TypeError(`${name} is no number`)
    if (Number.isInteger(value) && value >= min && value <= max) continue
    throw new WarrenError('EINVAL', { message: `${name} is ${value}, not whole in ${min}..${max}` })
  }
  const { directory, peer, libp2p, sealed, readKey, volumeKey } = options
  if (directory !== undefined && typeof directory !== 'string') {
    throw new TypeError('directory is no text')
  }
  if (directory === '') throw new WarrenError('EINVAL', { message: 'directory is empty' })
  if (sealed !== undefined && typeof sealed !== 'boolean')
    throw new TypeError('sealed is no boolean')
  if (readKey !== undefined) parseReadKey(readKey)
  if (sealed === false && readKey !== undefined) {
    throw new WarrenError('EINVAL', {
      message: 'sealed and readKey: a read key is for what is sealed'
    })
  }
  if (sealed === true && volumeKey !== undefined && readKey === undefined) {
    // We would make a new one each time, and nothing could be read any more.
    throw new WarrenError('EINVAL', { message: 'volumeKey and sealed: the app keeps readKey too' })
  }
  if (peer !== undefined && libp2p !== undefined) {
    throw new WarrenError('EINVAL', { message: 'peer and libp2p: one of them' })
  }
}
