/**
 * One name, as a file on every usual system may have, that says nothing to a terminal: what a
 * share may be called, and what a stranger's share may be called here.
 */

// Unpaired surrogates, controls, marks that turn text around, breaks of lines, what is invisible.
const REFUSED = /[/\\\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u

/** In UTF-8, on ext4, APFS and NTFS. */
const NAME_BYTES_MAX = 255

export function isFileName(text: string): boolean {
  if (text === '' || text === '.' || text === '..') return false
  return Buffer.byteLength(text) <= NAME_BYTES_MAX && !REFUSED.test(text)
}
