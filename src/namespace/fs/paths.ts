/**
 * Paths as callers write them, turned into names. A path that does not begin with a slash is taken
 * from the root: a namespace has no current directory.
 */
import { WarrenError } from '../../errors.ts'
import { NAME_BYTES_MAX } from '../volume/volume.ts'

/** A path as `node:fs` takes it: text, its UTF-8 bytes, or a `file:` URL without a host. */
export type PathLike = string | Uint8Array | URL

/** Longest path in bytes, as on Linux. */
export const PATH_BYTES_MAX = 4096

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

/** The path as text. Throws a `TypeError` with Node's code for what is no path. */
export function toPath(path: PathLike, argument: string = 'path'): string {
  const text = pathText(path, argument)
  if (text.includes('\0')) {
    throw misuse(
      `The argument '${argument}' must be a string without null bytes`,
      'ERR_INVALID_ARG_VALUE'
    )
  }
  return text
}

function pathText(path: PathLike, argument: string): string {
  if (typeof path === 'string') return path
  if (path instanceof Uint8Array) return decoder.decode(path)
  if (path instanceof URL) return fromUrl(path)
  throw misuse(
    `The "${argument}" argument must be of type string or an instance of Uint8Array or URL`,
    'ERR_INVALID_ARG_TYPE'
  )
}

function fromUrl(url: URL): string {
  if (url.protocol !== 'file:') {
    throw misuse('The URL must be of scheme file', 'ERR_INVALID_URL_SCHEME')
  }
  if (url.host !== '' && url.host !== 'localhost') {
    throw misuse('File URL host must be "localhost" or empty', 'ERR_INVALID_FILE_URL_HOST')
  }
  if (/%2f/i.test(url.pathname)) {
    throw misuse('File URL path must not include encoded / characters', 'ERR_INVALID_FILE_URL_PATH')
  }
  return decodeURIComponent(url.pathname)
}

/** The names of a path in order, without empty ones. Throws `ENOENT` for '' and `ENAMETOOLONG`. */
export function splitPath(path: string): string[] {
  if (path === '') throw new WarrenError('ENOENT')
  if (path.length * 3 > PATH_BYTES_MAX && encoder.encode(path).length >= PATH_BYTES_MAX) {
    throw new WarrenError('ENAMETOOLONG')
  }
  return path.split('/').filter(name => name !== '')
}

/** True when the path can only mean a directory. */
export function meansDirectory(path: string): boolean {
  return /(?:^|\/)\.{0,2}$/.test(path)
}

export function checkNameLength(name: string): void {
  if (name.length * 3 > NAME_BYTES_MAX && encoder.encode(name).length > NAME_BYTES_MAX) {
    throw new WarrenError('ENAMETOOLONG')
  }
}

/** `directory` must be canonical. */
export function joinPath(directory: string, name: string): string {
  return directory === '/' ? `/${name}` : `${directory}/${name}`
}

/** A path as written, with a name appended: how listings name what is below it. */
export function appendName(path: string, name: string): string {
  return path.endsWith('/') ? path + name : `${path}/${name}`
}

/** The directory of a canonical path. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')))
}

/** A link's relative target, seen from the directory of its link. */
export function absoluteTarget(directory: string, target: string): string {
  const names = directory.split('/').filter(name => name !== '')
  for (const name of target.split('/')) {
    if (name === '..') names.pop()
    else if (name !== '' && name !== '.') names.push(name)
  }
  return `/${names.join('/')}`
}

export function misuse(message: string, code: string): TypeError {
  return Object.assign(new TypeError(message), { code })
}
