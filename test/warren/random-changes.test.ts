/**
 * Random sequences of verbs, on a warren and on a directory of the host, with restarts in between:
 * both give the same results and the same error codes, and hold the same tree in the end.
 * `WARREN_SEED=7 WARREN_SEQUENCES=100` repeats and lengthens.
 */
import assert from 'node:assert/strict'
import * as host from 'node:fs/promises'
import { suite } from 'uvu'
import type { FileSystem } from '../../src/namespace/index.ts'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { startWarren } from './fixtures.ts'
import { contentOf, createRandom, describeTree } from './tree-model.ts'
import type { Random } from './tree-model.ts'

const SEED = Number(process.env['WARREN_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const SEQUENCES = Number(process.env['WARREN_SEQUENCES'] ?? 3)
const VERBS = 250

const test = suite(`random changes (seed ${SEED})`)

type Verbs = Pick<
  FileSystem,
  | 'appendFile'
  | 'copyFile'
  | 'link'
  | 'mkdir'
  | 'open'
  | 'readFile'
  | 'readdir'
  | 'readlink'
  | 'realpath'
  | 'rename'
  | 'rm'
  | 'rmdir'
  | 'stat'
  | 'lstat'
  | 'symlink'
  | 'truncate'
  | 'unlink'
  | 'writeFile'
  | 'chmod'
>

type Step = (fs: Verbs, at: (path: string) => string) => Promise<unknown>

/** Few names, so that verbs meet each other; some of them lead through what is no directory. */
function randomPath(random: Random): string {
  const names = ['a', 'b', 'c', 'dir', 'link', 'ü']
  const depth = 1 + Math.floor(random() * 3)
  return Array.from(
    { length: depth },
    () => `/${names[Math.floor(random() * names.length)]!}`
  ).join('')
}

const SIZES = [0, 1, 10, 5_000, 12_288, 12_289, 40_000, 300_000]

function randomStep(random: Random): { readonly name: string; readonly run: Step } {
  const [path, second] = [randomPath(random), randomPath(random)]
  const bytes = SIZES[Math.floor(random() * SIZES.length)]!
  const position = SIZES[Math.floor(random() * SIZES.length)]!
  const content = contentOf({ seed: Math.floor(random() * 1e9), bytes })
  const flag = random() < 0.5
  const steps: Readonly<Record<string, Step>> = {
    writeFile: (fs, at) => fs.writeFile(at(path), content, { flag: flag ? 'w' : 'wx' }),
    appendFile: (fs, at) => fs.appendFile(at(path), content),
    readFile: (fs, at) => fs.readFile(at(path)).then(read => new Uint8Array(read)),
    truncate: (fs, at) => fs.truncate(at(path), bytes),
    mkdir: (fs, at) => fs.mkdir(at(path)),
    makeDirectories: (fs, at) => fs.mkdir(at(path), { recursive: true }).then(() => true),
    rmdir: (fs, at) => fs.rmdir(at(path)),
    rm: (fs, at) => fs.rm(at(path), { recursive: flag, force: flag }),
    unlink: (fs, at) => fs.unlink(at(path)),
    rename: (fs, at) => fs.rename(at(path), at(second)),
    link: (fs, at) => fs.link(at(path), at(second)),
    copyFile: async (fs, at) => {
      // Node removes the target when the source is a directory; we do not, and it is no promise.
      const source = await fs.stat(at(path)).catch(() => undefined)
      if (source?.isDirectory() !== true) await fs.copyFile(at(path), at(second))
    },
    // Relative, so that it means the same on both sides.
    symlink: (fs, at) => fs.symlink(second.slice(1), at(path)),
    readlink: (fs, at) => fs.readlink(at(path)),
    readdir: (fs, at) => fs.readdir(at(path)).then(names => names.sort()),
    stat: async (fs, at) => summary(await fs.stat(at(path))),
    lstat: async (fs, at) => summary(await fs.lstat(at(path))),
    chmod: (fs, at) => fs.chmod(at(path), flag ? 0o700 : 0o755),
    realpath: async (fs, at) => (await fs.realpath(at(path))).replace(at(''), ''),
    patch: (fs, at) => patch(fs, at(path), { content, position })
  }
  const names = Object.keys(steps)
  const name = names[Math.floor(random() * names.length)]!
  return { name: `${name} ${path} ${second} ${bytes} ${position} ${flag}`, run: steps[name]! }
}

interface Attributes {
  isFile(): boolean
  isDirectory(): boolean
  isSymbolicLink(): boolean
  readonly size: number
  readonly nlink: number
  readonly mode: number
}

function summary(stats: Attributes): unknown {
  const size = stats.isFile() ? stats.size : undefined
  return [
    stats.isFile(),
    stats.isDirectory(),
    stats.isSymbolicLink(),
    size,
    stats.nlink,
    stats.mode
  ]
}

/** Writes in the middle, and reads it back before it is closed. */
async function patch(
  fs: Verbs,
  path: string,
  { content, position }: { readonly content: Uint8Array; readonly position: number }
): Promise<unknown> {
  const handle = await fs.open(path, 'r+')
  try {
    await handle.write(content, 0, content.length, position)
    const buffer = new Uint8Array(100)
    const { bytesRead } = await handle.read(buffer, 0, 100, Math.max(0, position - 50))
    return [bytesRead, buffer, (await handle.stat()).size]
  } finally {
    await handle.close()
  }
}

async function outcomeOf(work: Promise<unknown>): Promise<unknown> {
  try {
    return { value: (await work) ?? null }
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException
    assert.ok(code !== undefined, String(error))
    // Node has a code of its own for one of its checks; ours are those of POSIX.
    return { code: code === 'ERR_FS_EISDIR' ? 'EISDIR' : code, syscall }
  }
}

for (let sequence = 0; sequence < SEQUENCES; sequence++) {
  test(`sequence ${sequence}`, async () => {
    const random = createRandom(SEED + sequence)
    await using directory = await createTemporaryDirectory('random')
    await host.mkdir(directory.join('host'))
    const root = await host.realpath(directory.join('host'))
    const options = { directory: directory.join('warren'), listen: [] }
    let warren = await startWarren(options)
    try {
      const done: string[] = []
      for (let number = 0; number < VERBS; number++) {
        const { name, run } = randomStep(random)
        done.push(name)
        const expected = await outcomeOf(run(host as unknown as Verbs, path => root + path))
        const found = await outcomeOf(run(warren.fs, path => path))
        assert.deepEqual(found, expected, `${number}: ${name} after\n${done.slice(-12).join('\n')}`)
        if (random() > 0.04) continue
        await warren.stop()
        warren = await startWarren(options)
      }
      const mine = await describeTree(warren.fs)
      assert.deepEqual(mine, await describeTree(host as unknown as FileSystem, root))
    } finally {
      await warren.stop()
    }
  })
}

test.run()
