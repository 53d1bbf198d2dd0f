/**
 * A repository kept in a warren by isomorphic-git, across a restart; what is exported of it git
 * finds sound, and what git makes of it comes back by an import.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import * as git from 'isomorphic-git'
import { suite } from 'uvu'
import type { Warren } from '../../src/index.ts'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { testUnless } from '../fixtures/test-unless.ts'
import { eventually, startWarren } from '../warren/fixtures.ts'

const run = promisify(execFile)
const noGit = await run('git', ['--version']).then(
  () => undefined,
  () => 'there is no git here'
)

const gitSuite = suite('git')
const test = testUnless(noGit, gitSuite)
const author = { name: 'Alice', email: 'alice@example.org' }
const dir = '/repository'

function repository({ fs }: Warren): { readonly fs: git.PromiseFsClient; readonly dir: string } {
  return { fs: fs as unknown as git.PromiseFsClient, dir }
}

async function onHost(cwd: string, ...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await run('git', ['-c', 'safe.directory=*', ...args], { cwd })
  return `${stdout}${stderr}`.replace(/^(notice|Checking|dangling).*$/gm, '').trim()
}

async function writeFiles({ fs }: Warren, version: number): Promise<void> {
  for (let directory = 0; directory < 10; directory++) {
    await fs.mkdir(`${dir}/src/${directory}`, { recursive: true })
    for (let file = 0; file < 30; file++) {
      const text = `file ${directory}/${file}, ${file % version === 0 ? version : 1}\n`
      await fs.writeFile(`${dir}/src/${directory}/${file}.txt`, text)
    }
  }
  await fs.writeFile(`${dir}/big-${version}.bin`, crypto.getRandomValues(new Uint8Array(60_000)))
}

test('init, add, commit, branch, checkout, log and status, across a restart', async () => {
  await using directory = await createTemporaryDirectory('git')
  const options = { directory: directory.join('alice') }
  let alice = await startWarren(options)
  await alice.fs.mkdir(dir)
  await git.init({ ...repository(alice), defaultBranch: 'main' })
  await writeFiles(alice, 1)
  await git.add({ ...repository(alice), filepath: '.' })
  const first = await git.commit({ ...repository(alice), message: 'first', author })
  await git.branch({ ...repository(alice), ref: 'side', checkout: true })
  await writeFiles(alice, 2)
  await alice.fs.rm(`${dir}/src/9`, { recursive: true })
  await alice.stop()

  alice = await startWarren(options)
  await using _alice = alice
  const matrix = await git.statusMatrix(repository(alice))
  const changed = matrix.filter(([, head, workdir]) => head !== workdir)
  assert.equal(changed.filter(([, , workdir]) => workdir === 0).length, 30)
  for (const [filepath, , workdir] of changed) {
    if (workdir === 0) await git.remove({ ...repository(alice), filepath })
    else await git.add({ ...repository(alice), filepath })
  }
  const second = await git.commit({ ...repository(alice), message: 'second', author })
  await git.checkout({ ...repository(alice), ref: 'main' })
  assert.equal((await alice.fs.readdir(`${dir}/src/9`)).length, 30)
  await git.checkout({ ...repository(alice), ref: 'side' })
  assert.equal(await alice.fs.exists(`${dir}/src/9/0.txt`), false)
  const log = await git.log({ ...repository(alice) })
  assert.deepEqual(
    log.map(({ oid }) => oid),
    [second, first]
  )

  await alice.export(dir, directory.join('exported'))
  assert.equal(await onHost(directory.join('exported'), 'fsck', '--strict', '--full'), '')
  assert.equal(await onHost(directory.join('exported'), 'status', '--porcelain'), '')
  assert.equal(await onHost(directory.join('exported'), 'rev-parse', 'HEAD'), second)
})

test('what git makes on the host is imported, read by another peer, and sound there', async () => {
  await using directory = await createTemporaryDirectory('git-import')
  await using alice = await startWarren()
  await using bob = await startWarren()
  await alice.fs.mkdir(dir)
  await git.init({ ...repository(alice), defaultBranch: 'main' })
  await writeFiles(alice, 1)
  await git.add({ ...repository(alice), filepath: '.' })
  await git.commit({ ...repository(alice), message: 'first', author })
  const host = directory.join('work')
  await alice.export(dir, host)
  const commit = ['-c', 'user.name=Bob', '-c', 'user.email=bob@example.org', 'commit', '-qm', 'x']
  await run('rm', ['-r', `${host}/src/3`])
  await onHost(host, 'add', '-A')
  await onHost(host, ...commit)
  await onHost(host, 'gc', '--quiet')
  const head = await onHost(host, 'rev-parse', 'HEAD')
  await alice.import(host, dir)
  assert.equal(await git.resolveRef({ ...repository(alice), ref: 'HEAD' }), head)
  assert.equal(await alice.fs.exists(`${dir}/src/3`), false)

  await bob.mount('/repository', await alice.share(dir))
  await eventually(async () => {
    assert.equal(await git.resolveRef({ ...repository(bob), ref: 'HEAD' }), head)
  })
  assert.equal((await git.log(repository(bob))).length, 2)
  await bob.export('/repository', directory.join('bob'))
  assert.equal(await onHost(directory.join('bob'), 'fsck', '--strict', '--full'), '')
  assert.equal(await onHost(directory.join('bob'), 'status', '--porcelain'), '')
})

gitSuite.run()
