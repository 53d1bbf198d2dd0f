/**
 * Errors repeat what was on the command line, and are copied into chats and bug reports. A link of
 * a sealed volume opens all of it to whoever reads such a report, and an invitation makes a holder
 * of him, unless what is secret in them is left out.
 */

/** The parameters of links that are for those only who were given the link. */
const SECRETS: ReadonlySet<string> = new Set(['key', 'invitation'])

// Whatever stands before it: a link that was cut off while it was copied still has its key.
const PARAMETER = /(?<=[?&])([^=&?\s]+)=[^&\s'"]+/g

/** The text with read keys and the tokens of invitations left out. */
export function hideSecrets(text: string): string {
  return text.replaceAll(PARAMETER, (whole, name: string) =>
    SECRETS.has(decode(name)) ? `${name}=…` : whole
  )
}

/** Names may be written with percent signs. */
function decode(name: string): string {
  try {
    return decodeURIComponent(name).toLowerCase()
  } catch {
    return ''
  }
}
