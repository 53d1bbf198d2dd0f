/** The runner of all other tests: what it must never call a success. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { readTimeLimit, TIME_LIMIT_SECONDS_DEFAULT } from '../runner/test-file.ts'

const runner = new URL('../run.ts', import.meta.url).pathname
const uvu = `import { suite } from '${import.meta.resolve('uvu')}'\n`
const good = `${uvu}const test = suite('good')\ntest('holds', () => {})\ntest.run()\n`

const test = suite('test runner')

test('counts the tests of all suites and files', async () => {
  const run = await runTests({
    'one.test.ts': `${good}\nconst more = suite('more')\nmore('holds too', () => {})\nmore.run()\n`,
    'deep/er/two.test.ts': good,
    'helper.ts': 'throw new Error()\n'
  })
  assert.equal(run.lastLine, '3 passed, 0 failed')
  assert.equal(run.code, 0)
  assert.match(run.output, /2 passed +\d+\.\d s {2}one\.test\.ts/)
  assert.match(run.output, /1 passed +\d+\.\d s {2}deep\/er\/two\.test\.ts/)
})

test('fails when one test fails, and shows the output of that file alone', async () => {
  const run = await runTests({
    'good.test.ts': `console.log('quiet')\n${good}`,
    'bad.test.ts':
      `${uvu}const test = suite('bad')\ntest('holds', () => {})\n` +
      `test('breaks', () => { throw new Error('the reason') })\ntest.run()\n`
  })
  assert.equal(run.lastLine, '2 passed, 1 failed')
  assert.equal(run.code, 1)
  assert.match(run.output, /the reason/)
  assert.match(run.output, /Failed:\n {2}bad\.test\.ts: 1 failed\n/)
  assert.doesNotMatch(run.output, /quiet/)
})

test('fails every file that does not run all its tests to a good end', async () => {
  const skipping = good.replace("test('", "test.skip('")
  const waiting = good.replace('() => {}', '() => new Promise(() => {})')
  const cases: Record<string, readonly [source: string, problem: string]> = {
    'breaks-off': [`${good}process.exit(0)\n`, 'ended without running its tests'],
    'exits-oddly': [`${good}process.on('exit', () => process.exit(3))\n`, 'exit code 3'],
    'has-no-test': [`${uvu}suite('empty').run()\n`, 'has no test that runs'],
    'has-no-syntax': ['const = 1\n', 'exit code 1'],
    'is-killed': [`${good}process.kill(process.pid, 'SIGTERM')\n`, 'killed by SIGTERM'],
    'never-runs': [good.replace('test.run()', ''), 'ended without running its tests'],
    'skips-silently': [skipping, 'has no test that runs'],
    'throws-early': [`${good}throw new Error('early')\n`, 'exit code 1'],
    'waits-for-ever': [waiting, 'exit code 1']
  }
  const files = Object.entries(cases).map(([name, [source]]) => [`${name}.test.ts`, source])
  const run = await runTests({ ...Object.fromEntries(files), 'good.test.ts': good })
  assert.equal(run.code, 1)
  const failed = run.output.slice(run.output.indexOf('\nFailed:\n')).split('\n')
  for (const [name, [, problem]] of Object.entries(cases)) {
    assert.ok(failed.includes(`  ${name}.test.ts: ${problem}`), `${name} is not said to fail`)
  }
  assert.match(run.lastLine, /^2 passed, 9 failed, 1 skipped/)
})

test('ends a file that hangs, with the processes that it started', async () => {
  const spawning =
    `import { spawn } from 'node:child_process'\n` +
    `console.log('child ' + spawn('sleep', ['1000'], { stdio: 'inherit' }).pid)\n`
  const run = await runTests({ 'slow.test.ts': `// time limit: 1 s\n${spawning}${good}` })
  assert.equal(run.lastLine, '1 passed, 1 failed')
  assert.match(run.output, /still running after 1 s, killed/)
  await assertGone(run.output)
})

test('ends what a file leaves behind, and says so', async () => {
  const leaving =
    `import { spawn } from 'node:child_process'\n` +
    `const child = spawn('sleep', ['1000'], { stdio: 'inherit' })\nchild.unref()\n` +
    `console.log('skipped: child ' + child.pid)\n`
  const run = await runTests({ 'leaving.test.ts': leaving + good })
  assert.equal(run.lastLine, '1 passed, 0 failed, 1 skipped')
  assert.match(run.output, /left a process running, killed/)
  await assertGone(run.output)
})

test('shows why tests were skipped', async () => {
  const run = await runTests({
    'some.test.ts': `console.log('skipped: no such device')\n${good.replace("test('", "test.skip('")}`
  })
  assert.equal(run.lastLine, '0 passed, 0 failed, 1 skipped')
  assert.match(run.output, /skipped: no such device/)
  assert.equal(run.code, 0)
})

test('runs only the files that are asked for', async () => {
  const files = { 'alice.test.ts': good, 'bob.test.ts': good }
  assert.equal((await runTests(files, ['ali'])).lastLine, '1 passed, 0 failed')
  const none = await runTests(files, ['carol'])
  assert.equal(none.lastLine, '0 passed, 0 failed')
  assert.equal(none.code, 1)
})

test('reads the time limit from the first lines only', () => {
  assert.equal(readTimeLimit('// time limit: 300 s\n'), 300)
  assert.equal(readTimeLimit('/**\n * Why it exists.\n *\n * time limit: 7 s, because.\n */\n'), 7)
  assert.equal(readTimeLimit(`${'\n'.repeat(20)}// time limit: 300 s`), TIME_LIMIT_SECONDS_DEFAULT)
  assert.equal(readTimeLimit("const text = 'time limit: 3 s'"), TIME_LIMIT_SECONDS_DEFAULT)
})

interface Run {
  readonly code: unknown
  readonly output: string
  readonly lastLine: string
}

async function runTests(
  files: Readonly<Record<string, string>>,
  filters: readonly string[] = []
): Promise<Run> {
  await using directory = await createTemporaryDirectory('runner')
  for (const [name, source] of Object.entries(files)) {
    await mkdir(dirname(directory.join(name)), { recursive: true })
    await writeFile(directory.join(name), source)
  }
  const args = [...process.execArgv, runner, `--directory=${directory.path}`, ...filters]
  const { promise, resolve } = Promise.withResolvers<Run>()
  execFile(process.execPath, args, { timeout: 30_000 }, (error, stdout, stderr) => {
    const lastLine = stdout.trimEnd().split('\n').at(-1) ?? ''
    resolve({ code: error?.code ?? 0, output: stdout + stderr, lastLine })
  })
  return await promise
}

/** A killed process is gone when whoever inherited it has asked for its exit code. */
async function assertGone(output: string): Promise<void> {
  const pid = Number(/child (\d+)/.exec(output)?.[1])
  assert.ok(pid > 0)
  const deadline = Date.now() + 40_000
  while (isAlive(pid)) {
    assert.ok(Date.now() < deadline, `process ${pid} is still there`)
    await sleep(20)
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test.run()
