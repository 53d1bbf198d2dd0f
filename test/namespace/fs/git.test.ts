/** A real program on top: isomorphic-git keeps a repository on our file system, and git finds it sound. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import * as git from 'isomorphic-git'
import { suite } from 'uvu'
import type { FileSystem } from '../../../src/namespace/fs/index.ts'
import { createFileSystemFixture } from '../../fixtures/file-system.ts'
import { createTemporaryDirectory } from '../../fixtures/temporary-directory.ts'

const run = promisify(execFile)
const test = suite('isomorphic-git')
const author = { name: 'Alice', email: 'alice@example.org' }

test('a repository of 500 files is committed, branched, checked out and sound', async () => {
  await using fixture = await createFileSystemFixture()
  await using host = await createTemporaryDirectory('git')
  const { fs } = fixture
  const dir = '/repository'
  const repository = { fs, dir }
  await fs.mkdir(dir)
  await git.init({ ...repository, defaultBranch: 'main' })
  for (let directory = 0; directory < 10; directory++) {
    await fs.mkdir(`${dir}/src/${directory}`, { recursive: true })
    for (let file = 0; file < 50; file++) {
      await fs.writeFile(`${dir}/src/${directory}/${file}.txt`, `file ${directory}/${file}\n`)
    }
  }
  await fs.writeFile(`${dir}/big.bin`, crypto.getRandomValues(new Uint8Array(60_000)))
  await git.add({ ...repository, filepath: '.' })
  const first = await git.commit({ ...repository, message: 'all', author })

  await git.branch({ ...repository, ref: 'side', checkout: true })
  await fs.writeFile(`${dir}/src/0/0.txt`, 'changed\n')
  await fs.rm(`${dir}/src/9`, { recursive: true })
  await fs.writeFile(`${dir}/new.txt`, 'new\n')
  const status = await git.statusMatrix(repository)
  assert.equal(status.length, 502)
  assert.deepEqual(
    status.filter(([, head, workdir, stage]) => head !== workdir || workdir !== stage).length,
    52
  )
  for (const [filepath, , workdir] of status) {
    if (workdir === 0) await git.remove({ ...repository, filepath })
  }
  await git.add({ ...repository, filepath: ['new.txt', 'src/0/0.txt'] })
  const second = await git.commit({ ...repository, message: 'side', author })
  await git.checkout({ ...repository, ref: 'main' })
  assert.equal(await fs.readFile(`${dir}/src/0/0.txt`, 'utf8'), 'file 0/0\n')
  assert.equal((await fs.readdir(`${dir}/src/9`)).length, 50)
  assert.equal(await fs.exists(`${dir}/new.txt`), false)
  await git.merge({ ...repository, ours: 'main', theirs: 'side', author })
  const log = await git.log({ ...repository, ref: 'main' })
  assert.deepEqual(
    log.map(({ oid }) => oid),
    [second, first]
  )
  await git.checkout({ ...repository, ref: 'main', force: true })
  assert.equal(await fs.readFile(`${dir}/src/0/0.txt`, 'utf8'), 'changed\n')

  await exported(fs, dir, host.join('repository'))
  const { stdout, stderr } = await run('git', ['fsck', '--strict'], {
    cwd: host.join('repository')
  })
  assert.equal(`${stdout}${stderr}`.replace(/^(notice|Checking).*$/gm, '').trim(), '')
  const { stdout: clean } = await run('git', ['status', '--porcelain'], {
    cwd: host.join('repository')
  })
  assert.equal(clean, '')
})

/** Copies a tree to a directory of the host. */
async function exported(fs: FileSystem, from: string, to: string): Promise<void> {
  await mkdir(to)
  for (const entry of await fs.readdir(from, { withFileTypes: true })) {
    const [source, target] = [`${from}/${entry.name}`, `${to}/${entry.name}`]
    if (entry.isDirectory()) await exported(fs, source, target)
    else await writeFile(target, await fs.readFile(source))
  }
}

test.run()
