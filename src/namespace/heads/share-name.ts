/**
 * Names and paths of shares as other peers and links state them. They become names in
 * directories and text on terminals, so what could lead out of a directory or steer a terminal
 * is refused at the door.
 */

/** What host file systems allow for one name, in bytes of UTF-8. */
export const NAME_BYTES_MAX = 255

/** PATH_MAX of Linux, in bytes of UTF-8. */
export const PATH_BYTES_MAX = 4096

// C0 controls, DEL and C1 controls, which terminals obey, and the marks that turn text around.
// oxlint-disable-next-line no-control-regex
const STEERING = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/

const encoder = new TextEncoder()

/** True for text that can be the name of a share. */
export function isShareName(value: unknown): value is string {
  return typeof value === 'string' && isName(value) && !STEERING.test(value)
}

/** True for a canonical path in a volume: `/`, or names each after a slash. Any character but NUL. */
export function isSharePath(value: unknown): value is string {
  if (typeof value !== 'string' || !value.startsWith('/')) return false
  // Characters are counted first, because hostile text may be long.
  if (value.length > PATH_BYTES_MAX || bytesOf(value) > PATH_BYTES_MAX) return false
  return value === '/' || value.slice(1).split('/').every(isName)
}

function isName(text: string): boolean {
  return (
    text.length > 0 &&
    text.length <= NAME_BYTES_MAX &&
    bytesOf(text) <= NAME_BYTES_MAX &&
    text !== '.' &&
    text !== '..' &&
    !text.includes('/') &&
    !text.includes('\0') &&
    text.isWellFormed()
  )
}

function bytesOf(text: string): number {
  return encoder.encode(text).length
}
