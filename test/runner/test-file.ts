/** Which test files there are, how long each may take, and in which order they run. */
import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** In seconds. A file that needs longer says so in one of its first lines: `// time limit: 300 s`. */
export const TIME_LIMIT_SECONDS_DEFAULT = 120

/** How many lines from the top may declare the limit: below them it is just text. */
const DECLARATION_LINES_MAX = 20

const DECLARATION = /^\s*(?:\/\/|\/?\*+)\s*time limit: (\d+) s\b/

export interface TestFile {
  /** Relative to the directory of tests, with forward slashes: `blocks/chunker.test.ts`. */
  readonly name: string
  readonly path: string
  readonly limitSeconds: number
}

/**
 * Every `*.test.ts` below `directory` whose name contains one of the filters (all, when there is
 * none). Those that may take longest come first, so that none of them is left alone at the end.
 */
export async function findTestFiles(
  directory: string,
  filters: readonly string[] = []
): Promise<TestFile[]> {
  const files: TestFile[] = []
  for await (const found of glob('**/*.test.ts', { cwd: directory })) {
    const name = found.replaceAll('\\', '/')
    if (filters.length > 0 && !filters.some(filter => name.includes(filter))) continue
    const path = join(directory, found)
    files.push({ name, path, limitSeconds: readTimeLimit(await readFile(path, 'utf8')) })
  }
  return files.sort(
    (one, two) => two.limitSeconds - one.limitSeconds || (one.name < two.name ? -1 : 1)
  )
}

/** The limit that a test file's source declares, in seconds. */
export function readTimeLimit(source: string): number {
  for (const line of source.split('\n', DECLARATION_LINES_MAX)) {
    const declared = DECLARATION.exec(line)?.[1]
    if (declared !== undefined) return Number(declared)
  }
  return TIME_LIMIT_SECONDS_DEFAULT
}
