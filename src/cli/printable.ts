/**
 * Text that may go to a terminal. Names come from other peers, and a terminal obeys what it is
 * sent: a name could recolour the screen, set the title, or show itself backwards.
 */

// Unpaired surrogates, controls, marks that turn text around, breaks of lines, and what is
// invisible: general categories Cc, Cf, Cs, Zl and Zp.
const STEERING = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** On one line, with everything that would steer a terminal shown as an escape: `\n`, `\u{202e}`. */
export function printable(text: string): string {
  return text.replaceAll(
    STEERING,
    character => SHORT[character] ?? `\\u{${character.codePointAt(0)!.toString(16)}}`
  )
}

/** One line of JSON that is safe on a terminal too, and says the same. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(STEERING, character =>
    Array.from({ length: character.length }, (_, index) =>
      character.charCodeAt(index).toString(16).padStart(4, '0')
    )
      .map(digits => `\\u${digits}`)
      .join('')
  )
}
