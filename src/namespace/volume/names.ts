/** Which strings may be names in a directory: what every operating system's path walk can carry. */
import { WarrenError } from '../../errors.ts'
import { NAME_BYTES_MAX } from './volume.ts'

const encoder = new TextEncoder()

/** True for a name of 1 to `NAME_BYTES_MAX` bytes that is not `.` or `..` and has no slash, no NUL and no lone surrogate. */
export function isName(name: string): boolean {
  return isWellFormedName(name) && !isTooLong(name)
}

/** Throws `EINVAL` or `ENAMETOOLONG`. */
export function assertName(name: string): void {
  if (!isWellFormedName(name)) throw new WarrenError('EINVAL', { message: `the name '${name}'` })
  if (isTooLong(name)) {
    throw new WarrenError('ENAMETOOLONG', { message: `over ${NAME_BYTES_MAX} bytes` })
  }
}

function isWellFormedName(name: string): boolean {
  return (
    name !== '' &&
    name !== '.' &&
    name !== '..' &&
    !name.includes('/') &&
    !name.includes('\0') &&
    name.isWellFormed()
  )
}

function isTooLong(name: string): boolean {
  // Each UTF-16 unit takes at least one byte and at most three, so most names need no encoding.
  if (name.length > NAME_BYTES_MAX) return true
  return name.length * 3 > NAME_BYTES_MAX && encoder.encode(name).length > NAME_BYTES_MAX
}
