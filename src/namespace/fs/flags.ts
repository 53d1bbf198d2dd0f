/** The flags of `open`, as Node writes them (`'r+'`, `'wx'`, …) or as POSIX numbers. */
import { constants } from './constants.ts'

export interface OpenMode {
  readonly read: boolean
  readonly write: boolean
  readonly append: boolean
  readonly create: boolean
  readonly exclusive: boolean
  readonly truncate: boolean
  /** Each write returns only when it survives a crash. */
  readonly sync: boolean
  /** Only a directory will do. */
  readonly directory: boolean
  readonly followLast: boolean
}

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_SYNC } = constants
const { O_DSYNC, O_DIRECTORY, O_NOFOLLOW } = constants
const ACCESS_MASK = 3

const NAMED: Readonly<Record<string, number>> = {
  r: O_RDONLY,
  rs: O_RDONLY | O_SYNC,
  'r+': O_RDWR,
  'rs+': O_RDWR | O_SYNC,
  w: O_WRONLY | O_CREAT | O_TRUNC,
  wx: O_WRONLY | O_CREAT | O_TRUNC | O_EXCL,
  'w+': O_RDWR | O_CREAT | O_TRUNC,
  'wx+': O_RDWR | O_CREAT | O_TRUNC | O_EXCL,
  a: O_WRONLY | O_CREAT | O_APPEND,
  ax: O_WRONLY | O_CREAT | O_APPEND | O_EXCL,
  as: O_WRONLY | O_CREAT | O_APPEND | O_SYNC,
  'a+': O_RDWR | O_CREAT | O_APPEND,
  'ax+': O_RDWR | O_CREAT | O_APPEND | O_EXCL,
  'as+': O_RDWR | O_CREAT | O_APPEND | O_SYNC
}

/** Letters whose order does not matter: Node accepts `xw` for `wx`, `sr` for `rs`. */
const SAME: Readonly<Record<string, string>> = {
  sr: 'rs',
  'sr+': 'rs+',
  xw: 'wx',
  'xw+': 'wx+',
  xa: 'ax',
  'xa+': 'ax+',
  sa: 'as',
  'sa+': 'as+'
}

/** Throws a `TypeError` for flags that Node does not know either. */
export function parseFlags(flags: string | number): OpenMode {
  const bits = typeof flags === 'number' ? flags : NAMED[SAME[flags] ?? flags]
  if (bits === undefined) {
    throw Object.assign(new TypeError(`The argument 'flags' is invalid. Received '${flags}'`), {
      code: 'ERR_INVALID_ARG_VALUE'
    })
  }
  const access = bits & ACCESS_MASK
  return {
    read: access === O_RDONLY || access === O_RDWR,
    write: access === O_WRONLY || access === O_RDWR,
    append: (bits & O_APPEND) !== 0,
    create: (bits & O_CREAT) !== 0,
    exclusive: (bits & O_EXCL) !== 0 && (bits & O_CREAT) !== 0,
    truncate: (bits & O_TRUNC) !== 0 && access !== O_RDONLY,
    sync: (bits & (O_SYNC | O_DSYNC)) !== 0,
    directory: (bits & O_DIRECTORY) !== 0,
    followLast: (bits & O_NOFOLLOW) === 0
  }
}
