/**
 * Random sequences of operations on names, run on a real directory and on ours: each outcome and
 * the tree that is left must be equal, and again after the volume was opened anew.
 */
import assert from 'node:assert/strict'
import * as nodeFs from 'node:fs/promises'
import fc from 'fast-check'
import { suite } from 'uvu'
import type { FileSystem } from '../../../src/namespace/fs/index.ts'
import { createFileSystemFixture } from '../../fixtures/file-system.ts'
import { createTemporaryDirectory } from '../../fixtures/temporary-directory.ts'

const node = nodeFs as unknown as FileSystem
const test = suite('tree of names')

const BELOW = 'x/y/root'

/** Few names, so that operations meet. */
const name = fc.constantFrom('a', 'b', 'c', 'd')
const path = fc.oneof(
  name,
  fc.tuple(name, name).map(names => names.join('/')),
  fc.tuple(name, name, name).map(names => names.join('/')),
  fc.tuple(name, name).map(names => `${names[0]}/../${names[1]}`),
  name.map(name => `${name}/`)
)

interface Step {
  readonly label: string
  run(fs: FileSystem, root: string): Promise<unknown>
}

function verb(
  label: string,
  run: (fs: FileSystem, first: string, second: string) => Promise<unknown>
): fc.Arbitrary<Step> {
  return fc.tuple(path, path).map(([first, second]) => ({
    label: `${label} ${first} ${second}`,
    run: (fs, root) => run(fs, `${root}/${first}`, `${root}/${second}`)
  }))
}

const step = fc.oneof(
  verb('mkdir', (fs, path) => fs.mkdir(path)),
  verb('mkdir -p', (fs, path) => fs.mkdir(path.replace('/..', ''), { recursive: true })),
  verb('write', (fs, path, text) => fs.writeFile(path, text.slice(-1))),
  verb('write long', (fs, path) => fs.writeFile(path, 'long'.repeat(5000))),
  verb('append', (fs, path) => fs.appendFile(path, '+')),
  verb('rename', (fs, from, to) => fs.rename(from, to)),
  verb('rename again', (fs, from, to) => fs.rename(from, to)),
  verb('link', (fs, from, to) => fs.link(from, to)),
  verb('symlink', (fs, _, to) => fs.symlink('../a', to)),
  verb('symlink dot', (fs, _, to) => fs.symlink('.', to)),
  verb('unlink', (fs, path) => fs.unlink(path)),
  verb('rmdir', (fs, path) => fs.rmdir(path)),
  verb('rm -r', (fs, path) => fs.rm(path.replace(/\/$/, ''), { recursive: true, force: true })),
  // Of a directory Node truncates what is there before it finds out.
  verb('copy', async (fs, from, to) => (await fs.stat(from)).isFile() && fs.copyFile(from, to)),
  verb('truncate', (fs, path) => fs.truncate(path, 2)),
  verb('chmod', (fs, path) => fs.chmod(path, 0o700)),
  verb('stat', async (fs, path) => (await fs.stat(path)).nlink),
  verb('read', (fs, path) => fs.readFile(path, 'utf8')),
  verb('list', async (fs, path) => (await fs.readdir(path)).toSorted()),
  verb('readlink', (fs, path) => fs.readlink(path)),
  verb('realpath', (fs, path) => fs.realpath(path))
)

async function outcome(step: Step, fs: FileSystem, root: string): Promise<string> {
  try {
    return JSON.stringify({ value: await step.run(fs, root) }).replaceAll(
      root.slice(0, -BELOW.length),
      ''
    )
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    return `${code} ${syscall}`
  }
}

async function everything(fs: FileSystem, path: string): Promise<string[]> {
  const lines: string[] = []
  for (const name of (await fs.readdir(path)).toSorted()) {
    const child = `${path}/${name}`
    const stats = await fs.lstat(child)
    const line = `${name} ${(stats.mode & 0o7777).toString(8)} ${stats.nlink}`
    if (stats.isDirectory()) lines.push(`${line} {`, ...(await everything(fs, child)), '}')
    else if (stats.isSymbolicLink()) lines.push(`${line} -> ${await fs.readlink(child)}`)
    else lines.push(`${line} ${await fs.readFile(child, 'utf8')}`)
  }
  return lines
}

test('any sequence leaves what it leaves on a real directory', async () => {
  await using directory = await createTemporaryDirectory('tree')
  process.umask(0o022)
  let runs = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 50, size: 'max' }), async steps => {
      // Directories above each, since links lead there.
      const theirs = directory.join(String(runs++), BELOW)
      const mine = `/0/${BELOW}`
      const fixture = await createFileSystemFixture()
      await node.mkdir(theirs, { recursive: true })
      await fixture.fs.mkdir(mine, { recursive: true })
      for (const step of steps) {
        const expected = await outcome(step, node, theirs)
        assert.equal(await outcome(step, fixture.fs, mine), expected, step.label)
      }
      const expected = await everything(node, theirs)
      assert.deepEqual(await everything(fixture.fs, mine), expected)
      await fixture[Symbol.asyncDispose]()
      const root = { ...fixture.root, volume: await fixture.root.reopen() }
      await using again = await createFileSystemFixture({ root })
      assert.deepEqual(await everything(again.fs, mine), expected)
    }),
    { numRuns: 60, includeErrorInReport: true }
  )
})

test.run()
