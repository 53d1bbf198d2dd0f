/**
 * The examples do what they say: each is run as a user runs it, and so is the demo, on a small folder.
 *
 * time limit: 240 s
 */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'

const EXAMPLES = join(import.meta.dirname, '../../examples')

/** How long one example may take, in milliseconds. */
const EXAMPLE_MS_MAX = 120_000

/** The last lines that each example prints. */
const EXPECTED: Readonly<Record<string, RegExp>> = {
  '01-two-peers.ts': /\[ 'first\.txt' \]\nDear Bob\n\[ 'first\.txt', 'second\.txt' \]\n$/,
  '02-import-export.ts':
    /20 files written, 0 failed\n1 written, 20 were there\n21 files in Bob's folder\n$/,
  '03-own-stores.ts':
    /^a file of 1 MB: 10\d{5} bytes in the store\nand a copy of it: 10\d{5} bytes\n\[ 'copy', 'large' \] 1000000\n$/,
  '04-errors-and-deadlines.ts':
    /^Bob has read this\nENOENT: open\nEROFS: open\nEEXIST: mkdir\nBob has read this\nEHOSTUNREACH: .*\ntrue\n$/
}

const test = suite('examples')

test('each example is tested', async () => {
  const names = (await readdir(EXAMPLES)).filter(name => name.endsWith('.ts')).toSorted()
  assert.deepEqual(names, Object.keys(EXPECTED))
})

for (const [name, expected] of Object.entries(EXPECTED)) {
  test(`${name} does what it says`, async () => {
    assert.match((await runExample(name)).stdout, expected)
  })
}

test('the demo tells its story', async () => {
  await using place = await createTemporaryDirectory('story')
  await mkdir(place.join('folder/below'), { recursive: true })
  for (let i = 0; i < 50; i++) await writeFile(place.join(`folder/below/${i}`), `number ${i}`)
  await writeFile(place.join('folder/large'), new Uint8Array(2_000_000).fill(3))
  const { stdout, stderr } = await runExample('demo/main.ts', place.join('folder'))
  // Of SQLite Node 22 warns.
  assert.doesNotMatch(stderr, /fail|error/i)
  assert.match(stdout, /52 files, 2 MiB taken in/)
  assert.equal(
    stdout.match(/52 files, 2 MiB compared with Alice's folder: all the same/g)?.length,
    3
  )
  assert.match(stdout, /Bob has read the new content \d+/)
  assert.match(stdout, /^carol: fetch to a folder +52 +2 /m)
  assert.match(stdout, /All bytes were the same\./)
  const left = (await readdir(tmpdir())).filter(name => name.startsWith('warren-demo-'))
  assert.deepEqual(
    left.filter(name => stdout.includes(name)),
    []
  )
})

test('the demo of copies tells its story', async () => {
  await using place = await createTemporaryDirectory('copies-story')
  await mkdir(place.join('folder/below'), { recursive: true })
  for (let i = 0; i < 50; i++) await writeFile(place.join(`folder/below/${i}`), `number ${i}`)
  await writeFile(place.join('folder/large'), randomBytes(4_000_000))
  const { stdout, stderr } = await runExample('replication/main.ts', place.join('folder'))
  assert.doesNotMatch(stderr, /fail|error/i)
  assert.match(stdout, /51 files, 4 MiB; 3 copies wanted/)
  assert.match(stdout, /s {2}\[\d{20}\] {2}alice --- carol dave erin/m)
  assert.match(stdout, /s {2}\[\d{20}\] {2}alice --- ----- dave erin/m)
  assert.match(stdout, /^Dave's disk is wiped +[\d.]+ m?s +[\d.]+ m?s +[1-4]$/m)
  assert.equal(stdout.match(/52 files compared with Alice's folder: all the same/g)?.length, 5)
  assert.match(stdout, /\d+ damaged blocks were found, and got from others/)
  assert.match(stdout, /All bytes were the same\. It took \d/)
})

test('the demo says clearly when something is wrong', async () => {
  const failure = await runExample('demo/main.ts', '/no/such/folder').catch(
    (error: unknown) => error
  )
  assert.ok(failure instanceof Error && 'code' in failure && 'stderr' in failure)
  assert.equal(failure.code, 1)
  assert.match(String(failure.stderr), /The demo has failed: .*no such file.*\/no\/such\/folder/)
})

async function runExample(...args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const [name = '', ...rest] = args
  const command = [...process.execArgv, join(EXAMPLES, name), ...rest]
  return await promisify(execFile)(process.execPath, command, { timeout: EXAMPLE_MS_MAX })
}

test.run()
