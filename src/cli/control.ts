/**
 * How a verb gets to the peer of a directory that another process has open: `warren run` and
 * `warren share` listen on a socket in their directory, and a verb that looks after copies has its
 * command line run there. What it prints comes back.
 *
 *     <directory>/control.sock, lines of JSON
 *     asker:  { "args": ["status", "/photos"], "stdout": { "isTTY": true, "columns": 80, "rows": 24 }, "stderr": {…} }
 *     peer:   { "stdout": "text" } and { "stderr": "text" }, as often as it takes, then { "exit": 0 }
 *
 * Whoever can open the socket may do with the peer what its owner may: only the user who runs it
 * can, as only he can read the keys that lie beside it. An asker that goes away interrupts its verb.
 */
import { join } from 'node:path'
import type { Sink } from './output.ts'

/** A command line of the longest invitation, and then some. */
export const REQUEST_LENGTH_MAX: number = 64 * 1024

/** Addresses of sockets are no longer than 104 bytes on some systems, with their end. */
const SOCKET_PATH_BYTES_MAX = 103

export type Terminal = Pick<Sink, 'isTTY' | 'columns' | 'rows'>

export interface Request {
  readonly args: readonly string[]
  readonly stdout: Terminal
  readonly stderr: Terminal
}

export interface Sinks {
  readonly stdout: Sink
  readonly stderr: Sink
}

/** Undefined for what is none. */
export function parseRequest(text: string): Request | undefined {
  try {
    const { args, stdout, stderr } = JSON.parse(text) as Partial<Record<keyof Request, unknown>>
    if (!Array.isArray(args) || !args.every(arg => typeof arg === 'string')) return undefined
    return { args, stdout: terminalOf(stdout), stderr: terminalOf(stderr) }
  } catch {
    return undefined
  }
}

export function terminalOf(value: unknown): Terminal {
  const { isTTY, columns, rows } = (value ?? {}) as Partial<Record<keyof Terminal, unknown>>
  return {
    isTTY: isTTY === true,
    ...(typeof columns === 'number' ? { columns } : {}),
    ...(typeof rows === 'number' ? { rows } : {})
  }
}

/** Undefined where there is none: then one process at a time has the directory, and verbs say so. */
export function socketPath(directory: string): string | undefined {
  const path = join(directory, 'control.sock')
  const fits = Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX
  return fits && process.platform !== 'win32' ? path : undefined
}
