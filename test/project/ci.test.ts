/** The entry of continuous integration: its last line and its exit status are all that is read. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { ROOT } from './sources.ts'

const test = suite('continuous integration')

test('ends with the last line of the suite', async () => {
  assert.deepEqual(await runWith('echo "12 passed, 0 failed"'), ['12 passed, 0 failed', 0])
  const skipped = '12 passed, 0 failed, 2 skipped'
  assert.deepEqual(await runWith(`echo "${skipped}"`), [skipped, 0])
})

test('ends with that line when the suite fails, whatever is printed after it', async () => {
  const suiteThatFails = 'echo "3 passed, 1 failed"; echo "npm error: it failed" >&2; exit 1'
  assert.deepEqual(await runWith(suiteThatFails), ['3 passed, 1 failed', 1])
})

test('counts as one failure what breaks before the suite', async () => {
  assert.deepEqual(await runWith('echo "error TS2307"; exit 2'), ['0 passed, 1 failed', 2])
  assert.deepEqual(await runWith('echo "nothing ran"'), ['0 passed, 1 failed', 1])
  assert.deepEqual(await runWith('', 'exit 1'), ['0 passed, 1 failed', 1])
})

/** The last line and the exit status, when `npm test` and `npm ci` do this. */
async function runWith(npmTest: string, npmCi = ''): Promise<[lastLine: string, status: unknown]> {
  await using directory = await createTemporaryDirectory('ci')
  await mkdir(directory.join('.ci'))
  await copyFile(join(ROOT, '.ci/run'), directory.join('.ci/run'))
  const install = 'mkdir -p node_modules/.bin && ln -s "$REAL_NODE" node_modules/.bin/node'
  const npm = `#!/bin/sh\nif [ "$1" = ci ]; then ${install}; ${npmCi || ':'}; else ${npmTest || ':'}; fi\n`
  await mkdir(directory.join('bin'))
  await writeFile(directory.join('bin/npm'), npm)
  await chmod(directory.join('bin/npm'), 0o755)
  const path = `${directory.join('bin')}:${process.env.PATH}`
  const env = { ...process.env, PATH: path, REAL_NODE: process.execPath }
  const { promise, resolve } = Promise.withResolvers<[string, unknown]>()
  execFile('bash', [directory.join('.ci/run')], { env, timeout: 30_000 }, (error, stdout) => {
    resolve([stdout.trimEnd().split('\n').at(-1) ?? '', error?.code ?? 0])
  })
  return await promise
}

test.run()
