/**
 * The one error class of the library and the closed list of its codes.
 *
 * Codes are API and travel on the wire; messages are for people and may change. The codes are
 * POSIX names, so that code written against `node:fs/promises` handles ours unchanged. Misuse
 * (a wrong argument type) is a plain `TypeError`; cancelling rejects with the signal's reason.
 */

/** Every code this library throws: its meaning and the positive number POSIX gives it on Linux. */
const CODES = {
  EPERM: [1, 'operation not permitted'],
  ENOENT: [2, 'no such file or directory'],
  EIO: [5, 'input/output error'],
  EBADF: [9, 'bad file descriptor'],
  EACCES: [13, 'permission denied'],
  EBUSY: [16, 'resource busy or locked'],
  EEXIST: [17, 'file already exists'],
  EXDEV: [18, 'cross-device link not permitted'],
  ENOTDIR: [20, 'not a directory'],
  EISDIR: [21, 'illegal operation on a directory'],
  EINVAL: [22, 'invalid argument'],
  EFBIG: [27, 'file too large'],
  ENOSPC: [28, 'no space left'],
  EROFS: [30, 'read-only file system'],
  ENAMETOOLONG: [36, 'name too long'],
  ENOTEMPTY: [39, 'directory not empty'],
  ELOOP: [40, 'too many symbolic links'],
  EPROTO: [71, 'the peer broke the protocol'],
  EBADMSG: [74, 'the bytes do not match their name'],
  ENOTSUP: [95, 'operation not supported'],
  ECONNRESET: [104, 'the connection was lost'],
  ETIMEDOUT: [110, 'the deadline passed'],
  EHOSTUNREACH: [113, 'no reachable peer has it'],
  ESTALE: [116, 'stale file handle'],
  EDQUOT: [122, 'quota exceeded']
} as const

export type ErrorCode = keyof typeof CODES

export interface ErrorDetails {
  /** What was tried, on what, and the number that was exceeded; appended to the code's meaning. */
  readonly message?: string
  /** The file-system verb, as Node names it: `open`, `scandir`, … */
  readonly syscall?: string
  readonly path?: string
  readonly dest?: string
  readonly cause?: unknown
}

/**
 * An operating error. `code`, `syscall`, `path`, `dest` and `errno` have the shape Node gives
 * its own file-system errors.
 */
export class WarrenError extends Error {
  override readonly name = 'WarrenError'
  readonly code: ErrorCode
  /** The POSIX number, negative as in Node. */
  readonly errno: number
  declare readonly syscall?: string
  declare readonly path?: string
  declare readonly dest?: string

  constructor(code: ErrorCode, details: ErrorDetails = {}) {
    super(describe(code, details), 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.errno = -CODES[code][0]
    if (details.syscall !== undefined) this.syscall = details.syscall
    if (details.path !== undefined) this.path = details.path
    if (details.dest !== undefined) this.dest = details.dest
  }
}

/** True for a `WarrenError`, and with `code` for a `WarrenError` of that code. */
export function isWarrenError(error: unknown, code?: ErrorCode): error is WarrenError {
  return error instanceof WarrenError && (code === undefined || error.code === code)
}

/** True when a value that came over the wire is one of the codes. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(CODES, value)
}

function describe(code: ErrorCode, { message, syscall, path, dest }: ErrorDetails): string {
  let text = `${code}: ${CODES[code][1]}`
  if (message !== undefined) text += `: ${message}`
  if (syscall !== undefined) text += `, ${syscall}`
  if (path !== undefined) text += ` '${path}'`
  if (dest !== undefined) text += ` -> '${dest}'`
  return text
}
