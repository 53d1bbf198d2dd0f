/** Turns what the operating system throws into the closed list of codes. */
import type { ErrorCode } from '../../errors.ts'
import { WarrenError, isErrorCode, isWarrenError } from '../../errors.ts'

/** A full quota is a full disk to whoever wanted to write. */
const TRANSLATED: Readonly<Record<string, ErrorCode>> = { EDQUOT: 'ENOSPC' }

/** Codes outside the list become `EIO`; the original is the cause. */
export function toWarrenError(
  cause: unknown,
  details: { readonly syscall: string; readonly path: string }
): WarrenError {
  if (isWarrenError(cause)) return cause
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const translated = TRANSLATED[code] ?? (isErrorCode(code) ? code : 'EIO')
  return new WarrenError(translated, { ...details, cause })
}

export function isFullDisk(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  return error.code === 'ENOSPC' || error.code === 'EDQUOT'
}

export function isMissingFile(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
