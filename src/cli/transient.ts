/** Which failures may be over the next time. */
import { codeOf } from './failure.ts'

const TRANSIENT: ReadonlySet<string> = new Set([
  'EHOSTUNREACH',
  'ETIMEDOUT',
  'ECONNRESET',
  'EBADMSG',
  'EIO',
  'ENOENT',
  'ESTALE'
])

/** Whether trying again makes sense. */
export function isTransient(error: unknown): boolean {
  return TRANSIENT.has(codeOf(error))
}
