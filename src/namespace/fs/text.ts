/**
 * Text to bytes and back in Node's encodings, without `Buffer`: the core also runs in browsers.
 */
export type TextEncoding =
  | 'utf8'
  | 'utf-8'
  | 'ascii'
  | 'latin1'
  | 'binary'
  | 'base64'
  | 'base64url'
  | 'hex'
  | 'utf16le'
  | 'utf-16le'
  | 'ucs2'
  | 'ucs-2'

/** What `encoding` may be wherever Node takes one; `'buffer'` and null give bytes. */
export type EncodingOption = TextEncoding | 'buffer' | null

const utf8Encoder = new TextEncoder()
// A byte order mark is content, as for Buffer.
const utf8Decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** `fromCharCode` takes its characters as arguments: so many are safe on every engine. */
const CHARACTERS_AT_ONCE = 8192

export function encodeText(text: string, encoding: TextEncoding = 'utf8'): Uint8Array {
  switch (canonical(encoding)) {
    case 'utf8':
      return utf8Encoder.encode(text)
    case 'utf16le':
      return encodeUtf16(text)
    case 'latin1':
    case 'ascii':
      return encodeUnits(text)
    case 'hex':
      return decodeHex(text)
    case 'base64':
      return decodeBase64(text)
  }
}

export function decodeText(bytes: Uint8Array, encoding: TextEncoding = 'utf8'): string {
  switch (canonical(encoding)) {
    case 'utf8':
      return utf8Decoder.decode(bytes)
    case 'utf16le':
      return decodeUtf16(bytes)
    case 'latin1':
      return toCharacters(bytes, 0xff)
    case 'ascii':
      return toCharacters(bytes, 0x7f)
    case 'hex':
      return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
    case 'base64':
      return encoding === 'base64url' ? toUrlAlphabet(encodeBase64(bytes)) : encodeBase64(bytes)
  }
}

/** Bytes, or text when an encoding is asked for. */
export function inEncoding(
  bytes: Uint8Array,
  encoding: EncodingOption | undefined
): Uint8Array | string {
  const wanted = encoding ?? 'buffer'
  return wanted === 'buffer' ? bytes : decodeText(bytes, wanted)
}

/** A name or target, which is text to us, as bytes when `'buffer'` is asked for. */
export function nameInEncoding(
  name: string,
  encoding: EncodingOption | undefined
): Uint8Array | string {
  const wanted = encoding ?? 'utf8'
  if (wanted === 'utf8' || wanted === 'utf-8') return name
  return inEncoding(utf8Encoder.encode(name), wanted)
}

function canonical(encoding: string): 'utf8' | 'utf16le' | 'latin1' | 'ascii' | 'hex' | 'base64' {
  switch (encoding.toLowerCase()) {
    case 'utf8':
    case 'utf-8':
      return 'utf8'
    case 'utf16le':
    case 'utf-16le':
    case 'ucs2':
    case 'ucs-2':
      return 'utf16le'
    case 'latin1':
    case 'binary':
      return 'latin1'
    case 'ascii':
      return 'ascii'
    case 'hex':
      return 'hex'
    case 'base64':
    case 'base64url':
      return 'base64'
  }
  throw Object.assign(
    new TypeError(`The argument 'encoding' is invalid encoding. Received '${encoding}'`),
    { code: 'ERR_INVALID_ARG_VALUE' }
  )
}

function encodeUtf16(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2)
  const view = new DataView(bytes.buffer)
  for (let index = 0; index < text.length; index++) {
    view.setUint16(index * 2, text.charCodeAt(index), true)
  }
  return bytes
}

/** Not by a `TextDecoder`, which replaces halves of characters; Buffer keeps them. */
function decodeUtf16(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length & ~1)
  let text = ''
  for (let at = 0; at < view.byteLength; at += 2 * CHARACTERS_AT_ONCE) {
    const count = Math.min(CHARACTERS_AT_ONCE, (view.byteLength - at) / 2)
    const units = Array.from({ length: count }, (_, index) => view.getUint16(at + index * 2, true))
    text += String.fromCharCode(...units)
  }
  return text
}

/** The low byte of each UTF-16 unit, as Buffer takes it. */
function encodeUnits(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index)
  return bytes
}

function toCharacters(bytes: Uint8Array, mask: number): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += CHARACTERS_AT_ONCE) {
    const part = bytes.subarray(at, at + CHARACTERS_AT_ONCE)
    text += String.fromCharCode(...(mask === 0xff ? part : part.map(byte => byte & mask)))
  }
  return text
}

/** Ends at the first pair that is not hexadecimal, as Buffer does. */
function decodeHex(text: string): Uint8Array {
  const pairs = /^(?:[0-9a-f]{2})*/i.exec(text)![0]
  const bytes = new Uint8Array(pairs.length / 2)
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = Number.parseInt(pairs.slice(index * 2, index * 2 + 2), 16)
  }
  return bytes
}

function encodeBase64(bytes: Uint8Array): string {
  return btoa(toCharacters(bytes, 0xff))
}

/** Takes both alphabets and ignores what is in neither, as Buffer does. */
function decodeBase64(text: string): Uint8Array {
  const standard = text.replaceAll('-', '+').replaceAll('_', '/').split('=', 1)[0]!
  const characters = standard.replaceAll(/[^A-Za-z0-9+/]/g, '')
  const whole = characters.length % 4 === 1 ? characters.slice(0, -1) : characters
  return encodeUnits(atob(whole))
}

function toUrlAlphabet(text: string): string {
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
