/** The project's own files as text, and what the TypeScript ones among them import. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { promisify } from 'node:util'

/** The directory that holds package.json. */
export const ROOT: string = join(import.meta.dirname, '../..')

export interface SourceFile {
  /** Relative to the root, with forward slashes: `src/blocks/block.ts`. */
  readonly path: string
  readonly text: string
  /** The files of the project it names, relative to the root, whether they exist or not. */
  readonly files: readonly string[]
  /** What else it imports: `node:fs`, `libp2p`, `#defaults`. */
  readonly packages: readonly string[]
}

/** Every file that is under version control or could be: what .gitignore names is left out. */
export async function listFiles(): Promise<string[]> {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z']
  const { stdout } = await promisify(execFile)('git', args, { cwd: ROOT, maxBuffer: 2 ** 26 })
  // A file that has been removed stays in the index until the removal is committed.
  return stdout.split('\0').filter(path => path !== '' && existsSync(join(ROOT, path)))
}

export async function readSources(paths: readonly string[]): Promise<SourceFile[]> {
  return await Promise.all(
    paths.map(async path => parseSource(path, await readFile(join(ROOT, path), 'utf8')))
  )
}

/** `import … from 'x'`, `export … from 'x'` and `import 'x'`, over several lines too. */
const STATEMENT = /^(?:import|export)(?:\s[\w\s*{},$]+\sfrom)?\s+'([^']+)'/gm

/** `import('x')`, as a value and as a type. */
const CALL = /\bimport\('([^']+)'\)/g

/** The files that are run rather than imported: a `URL` against `import.meta.url`. */
const RELATIVE_URL = /\bnew URL\('([^']+\.ts)', import\.meta\.url\)/g

export function parseSource(path: string, text: string): SourceFile {
  const specifiers = [STATEMENT, CALL, RELATIVE_URL].flatMap(pattern =>
    [...text.matchAll(pattern)].map(match => match[1]!)
  )
  const isFile = (specifier: string): boolean => /^\.|\.ts$/.test(specifier)
  const directory = posix.dirname(path)
  return {
    path,
    text,
    files: specifiers.filter(isFile).map(specifier => posix.join(directory, specifier)),
    packages: specifiers.filter(specifier => !isFile(specifier))
  }
}
