/**
 * The same operations on a real directory by `node:fs/promises` and on ours: results, and errors
 * with their code, number, call and paths, must be equal.
 */
import assert from 'node:assert/strict'
import * as nodeFs from 'node:fs/promises'
import { suite } from 'uvu'
import type { FileSystem } from '../../../src/namespace/fs/index.ts'
import { createFileSystemFixture } from '../../fixtures/file-system.ts'
import { createTemporaryDirectory } from '../../fixtures/temporary-directory.ts'
import type { Case } from './like-node/case.ts'
import { contentCases } from './like-node/content-cases.ts'
import { directoryCases } from './like-node/directory-cases.ts'
import { handleCases } from './like-node/handle-cases.ts'

const node = nodeFs as unknown as FileSystem
const test = suite('fs like node')

/** What every case begins with. */
async function prepare(fs: FileSystem, root: string): Promise<void> {
  await fs.mkdir(root)
  await fs.mkdir(`${root}/dir`)
  await fs.mkdir(`${root}/dir/sub`)
  await fs.mkdir(`${root}/empty`)
  await fs.writeFile(`${root}/file`, 'content')
  await fs.writeFile(`${root}/dir/inner`, 'inner')
  await fs.writeFile(`${root}/dir/sub/deep`, 'deep')
  await fs.symlink('file', `${root}/link`)
  await fs.symlink('dir', `${root}/dirlink`)
  await fs.symlink('missing', `${root}/dangling`)
  await fs.symlink('loop', `${root}/loop`)
}

/** Everything there is, so that a case is judged by what it left behind as well. */
async function everything(fs: FileSystem, root: string): Promise<string[]> {
  const lines: string[] = []
  const visit = async (path: string): Promise<void> => {
    for (const name of (await fs.readdir(path)).sort()) {
      const child = `${path}/${name}`
      const stats = await fs.lstat(child)
      const shown = child.slice(root.length)
      const mode = (stats.mode & 0o777).toString(8)
      if (stats.isSymbolicLink()) lines.push(`${shown} -> ${plain(await fs.readlink(child), root)}`)
      else if (stats.isFile()) {
        const text = await fs.readFile(child, 'utf8')
        lines.push(`${shown} ${mode} ${stats.nlink} ${stats.size} ${text.slice(0, 60)}`)
      } else {
        lines.push(`${shown}/ ${mode} ${stats.nlink}`)
        await visit(child)
      }
    }
  }
  await visit(root)
  return lines
}

async function outcome(work: () => Promise<unknown>, root: string): Promise<unknown> {
  try {
    return { value: plain(await work(), root) }
  } catch (error) {
    assert(error instanceof Error)
    const { code, errno, syscall, path, dest } = error as NodeJS.ErrnoException & { dest?: string }
    if (code === 'ERR_ASSERTION') throw error
    return plain({ name: error instanceof TypeError, code, errno, syscall, path, dest }, root)
  }
}

/** Values that can be compared: bytes as text, paths without their root. */
function plain(value: unknown, root: string): string {
  const text = JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'bigint') return `${part}n`
    if (typeof part === 'object' && part !== null && 'type' in part && 'data' in part) {
      return Object.values((part as unknown as { data: number[] }).data)
    }
    return ArrayBuffer.isView(part) ? Array.from(part as Uint8Array) : part
  })
  return (text ?? 'undefined').replaceAll(root, '<root>')
}

/** Cases by name. */
const cases: Record<string, Case> = { ...contentCases, ...directoryCases, ...handleCases }

/** Where ours differs on purpose: codes of Node that are not POSIX errors have POSIX ones here. */
const ours: Record<string, Case> = {
  'rm directory': (fs, root) => fs.rm(`${root}/dir`),
  'cp directory': (fs, root) => fs.cp(`${root}/dir`, `${root}/copy`),
  'cp exclusive': (fs, root) =>
    fs.cp(`${root}/file`, `${root}/dir/inner`, { force: false, errorOnExist: true }),
  'cp into itself': (fs, root) => fs.cp(`${root}/dir`, `${root}/dir/sub/x`, { recursive: true }),
  'cp onto itself': (fs, root) => fs.cp(`${root}/file`, `${root}/file`),
  'cp directory onto file': (fs, root) => fs.cp(`${root}/dir`, `${root}/file`, { recursive: true }),
  'cp file onto directory': (fs, root) => fs.cp(`${root}/file`, `${root}/dir`)
}

const directory = await createTemporaryDirectory('like-node')
const fixture = await createFileSystemFixture()
process.umask(0o022)
await fixture.fs.mkdir('/case')

for (const [index, [name, run]] of Object.entries(cases).entries()) {
  // Giving a file away is for the superuser.
  if (/chown|attributes/.test(name) && process.getuid?.() !== 0) continue
  test(name, async () => {
    const theirs = directory.join(String(index))
    const mine = `/case/${index}`
    await prepare(node, theirs)
    await prepare(fixture.fs, mine)
    const expected = await outcome(() => run(node, theirs), theirs)
    const actual = await outcome(() => run(fixture.fs, mine), mine)
    assert.deepEqual(actual, expected)
    assert.deepEqual(await everything(fixture.fs, mine), await everything(node, theirs))
  })
}

const codes = ['EISDIR', 'EISDIR', 'EEXIST', 'EINVAL', 'EINVAL', 'ENOTDIR', 'EISDIR']
for (const [index, [name, run]] of Object.entries(ours).entries()) {
  test(`${name}: a POSIX code`, async () => {
    const mine = `/case/ours-${index}`
    await prepare(fixture.fs, mine)
    const before = await everything(fixture.fs, mine)
    await assert.rejects(run(fixture.fs, mine), { code: codes[index] })
    assert.deepEqual(await everything(fixture.fs, mine), before)
  })
}

test.after(async () => {
  await fixture[Symbol.asyncDispose]()
  await directory.remove()
})

test.run()
