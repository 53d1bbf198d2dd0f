/**
 * Errors repeat what was on the command line, and are copied into chats and bug reports. A link of
 * a sealed volume opens all of it to whoever reads such a report, unless its key is left out.
 */

// Whatever stands before it: a link that was cut off while it was copied still has its key. The
// name of a parameter may be written with percent signs.
const KEY = /([?&](?:k|%6b)(?:e|%65)(?:y|%79)=)[^&\s'"]+/gi

/** The text with the read keys of links left out. */
export function hideSecrets(text: string): string {
  return text.replaceAll(KEY, '$1…')
}
