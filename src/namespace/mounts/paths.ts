/** Canonical paths: absolute, no `.`, no `..`, no empty names, no slash at the end. */
import { WarrenError } from '../../errors.ts'
import { assertName } from '../volume/names.ts'

/** Longest path in UTF-16 units, as `PATH_MAX` on Linux; it also bounds how deep a walk can go. */
export const PATH_LENGTH_MAX = 4096

/** The names on a path, `.` and `..` resolved by text. Throws `EINVAL` unless it is absolute, `ENAMETOOLONG`. */
export function namesOf(path: string): string[] {
  if (!path.startsWith('/'))
    throw new WarrenError('EINVAL', { message: 'not an absolute path', path })
  if (path.length > PATH_LENGTH_MAX) throw new WarrenError('ENAMETOOLONG', { path })
  const names: string[] = []
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue
    if (name === '..') names.pop()
    else {
      assertName(name)
      names.push(name)
    }
  }
  return names
}

export function canonicalPath(path: string): string {
  return '/' + namesOf(path).join('/')
}

/** The canonical path of a name in the directory at a canonical path. */
export function childPath(directory: string, name: string): string {
  return directory === '/' ? `/${name}` : `${directory}/${name}`
}

export function parentPath(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')))
}

export function lastName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** Whether `path` is `directory` or below it; both canonical. */
export function isWithin(path: string, directory: string): boolean {
  return directory === '/' || path === directory || path.startsWith(directory + '/')
}
