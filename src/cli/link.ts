/** What a link says to somebody who is going to mount it. The library reads the rest of it. */
import { isFileName } from './file-name.ts'
import { UsageError } from './usage-error.ts'

/** What a share is called that has no name here. */
const NAMELESS = 'shared'

export function isLink(text: string): boolean {
  return /^warren:/i.test(text)
}

/** What a link calls its share; made up where it does not say. Safe as the name of a file. */
export function nameOfLink(link: string): string {
  const { searchParams, pathname } = parseUri(link)
  const last = pathname
    .split('/')
    .slice(1)
    .map(decode)
    .findLast(part => part !== '')
  return [searchParams.get('name') ?? '', last ?? ''].find(isFileName) ?? NAMELESS
}

/** What an error calls it: a link is long, and its name says what it is. */
export function titleOf(target: string): string {
  return isLink(target) ? nameOfLink(target) : target
}

/** Whether it opens a sealed volume. */
export function hasKey(link: string): boolean {
  return parseUri(link).searchParams.has('key')
}

/** Waits for what takes a link. One that cannot be read is a mistake on the command line. */
export async function asUsage<Value>(work: Promise<Value>): Promise<Value> {
  try {
    return await work
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'EINVAL') throw error
    throw new UsageError(message.replace(/^EINVAL: invalid argument: /, ''))
  }
}

function parseUri(link: string): URL {
  try {
    return new URL(link)
  } catch {
    throw new UsageError('that is not a link (warren:…)')
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
