/**
 * Names and paths of shares as other peers and links state them. They become names in
 * directories and text on terminals, so what could lead out of a directory or steer a terminal
 * is refused at the door.
 */
import { isName } from '../volume/names.ts'

/** Longest path in UTF-16 units, as `PATH_MAX` on Linux and as paths of a namespace have. */
const PATH_LENGTH_MAX = 4096

// C0 controls, DEL and C1 controls, which terminals obey, and the marks that turn text around.
// oxlint-disable-next-line no-control-regex
const STEERING = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/

/** True for text that can be the name of a share. */
export function isShareName(value: unknown): value is string {
  return typeof value === 'string' && isName(value) && !STEERING.test(value)
}

/** True for a canonical path in a volume: `/`, or names each after a slash. */
export function isSharePath(value: unknown): value is string {
  if (typeof value !== 'string' || !value.startsWith('/')) return false
  if (value.length > PATH_LENGTH_MAX) return false
  return value === '/' || value.slice(1).split('/').every(isName)
}
