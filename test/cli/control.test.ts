/** Verbs work in the peer that another process, here the same one, runs in the directory. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { askControl } from '../../src/cli/ask-control.ts'
import { REQUEST_LENGTH_MAX } from '../../src/cli/control.ts'
import { Interruption } from '../../src/cli/interruption.ts'
import { run } from '../../src/cli/run.ts'
import { serveControl } from '../../src/cli/serve-control.ts'
import type { RunLine } from '../../src/cli/serve-control.ts'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { runHere } from './command-line.ts'
import { STATUS, failing, fakeHome } from './fake-replication.ts'
import type { FakeHome } from './fake-replication.ts'

const test = suite('control')

test('a verb is run by who has the directory, and prints where it was called', async () => {
  await using place = await createTemporaryDirectory('control')
  await using _ = await serveControl(place.path, inside(fakeHome()))
  const said = await runHere(['status', '--json', '--directory', place.path])
  assert.deepEqual([said.code, said.stderr, JSON.parse(said.stdout)], [0, '', STATUS])
  const wrong = await runHere(['--directory', place.path, 'replicas', '/a', '0'])
  assert.deepEqual([wrong.code, wrong.stdout], [2, ''])
  assert.match(wrong.stderr, /replicas 0: not a number/)
  const all = Array.from({ length: 20 }, () =>
    runHere(['replicas', '/', '--directory', place.path])
  )
  for (const { stdout } of await Promise.all(all)) assert.match(stdout, /^\/ {2}3 copies/)
})

test('it fails there as it would here', async () => {
  await using place = await createTemporaryDirectory('control')
  await using _ = await serveControl(place.path, inside(fakeHome({ set: failing('EROFS') })))
  const { code, stderr } = await runHere(['replicas', '/a', '2', '--directory', place.path])
  assert.equal(code, 1)
  assert.match(stderr, /^warren: \/a: /)
})

test('an interruption reaches it, and it says how it ends', async () => {
  await using place = await createTemporaryDirectory('control')
  const waiting = fakeHome({ leave: (options = {}) => untilAborted(options.signal) })
  await using _ = await serveControl(place.path, inside(waiting))
  for (const [line, expected] of [
    [['status', '--watch'], 0],
    [['leave'], 130]
  ] as const) {
    const interrupted = new AbortController()
    const running = runHere([...line, '--directory', place.path], { signal: interrupted.signal })
    while (!waiting.calls.some(([verb]) => verb === line[0])) await sleep(5)
    interrupted.abort(new Interruption('SIGINT'))
    assert.equal((await running).code, expected, line[0])
  }
})

test('who goes away without a word interrupts it, too', async () => {
  await using place = await createTemporaryDirectory('control')
  const ended = Promise.withResolvers<unknown>()
  const waiting = fakeHome({
    leave: (options = {}) =>
      untilAborted(options.signal).catch(error => {
        ended.resolve(error)
        throw error
      })
  })
  await using _ = await serveControl(place.path, inside(waiting))
  const socket = connect(place.join('control.sock'))
  socket.write('{"args":["leave"]}\n')
  while (waiting.calls.length === 0) await sleep(5)
  socket.destroy()
  assert.ok((await ended.promise) instanceof Interruption)
})

test('an interruption may come in one piece with what was asked', async () => {
  await using place = await createTemporaryDirectory('control')
  const waiting = fakeHome({ leave: (options = {}) => untilAborted(options.signal) })
  await using _ = await serveControl(place.path, inside(waiting))
  const socket = connect(place.join('control.sock'))
  socket.end('{"args":["leave"]}\n')
  let said = ''
  for await (const piece of socket) said += String(piece)
  assert.match(said, /"exit":130/)
})

test('when the peer ends, its askers are told', async () => {
  await using place = await createTemporaryDirectory('control')
  const waiting = fakeHome({ leave: (options = {}) => untilAborted(options.signal) })
  const control = await serveControl(place.path, inside(waiting))
  const running = runHere(['leave', '--directory', place.path])
  while (waiting.calls.length === 0) await sleep(5)
  await control[Symbol.asyncDispose]()
  const { code, stderr } = await running
  assert.equal(code, 3)
  assert.match(stderr, /the peer that runs in the directory has ended/)
  assert.equal(await ask(place.path), undefined)
})

test('a socket that a killed process has left is nobody', async () => {
  await using place = await createTemporaryDirectory('control')
  assert.equal(await ask(place.path), undefined)
  await writeFile(place.join('control.sock'), '')
  assert.equal(await ask(place.path), undefined)
  await using _ = await serveControl(place.path, inside(fakeHome()))
  assert.equal(await ask(place.path), 0)
  // For the user who runs it, and nobody else.
  assert.equal((await stat(place.join('control.sock'))).mode & 0o777, 0o600)
})

test('where paths are too long for sockets there is none', async () => {
  await using place = await createTemporaryDirectory(`control-${'x'.repeat(100)}`)
  await using _ = await serveControl(place.path, inside(fakeHome()))
  assert.equal(await ask(place.path), undefined)
})

test('what is no request is not answered', async () => {
  await using place = await createTemporaryDirectory('control')
  const fake = fakeHome()
  await using _ = await serveControl(place.path, inside(fake))
  for (const text of [
    'hello\n',
    'null\n',
    '{}\n',
    '{"args":"status"}\n',
    '{"args":["status",1]}\n',
    '[]\n',
    `{"args":["${'x'.repeat(REQUEST_LENGTH_MAX)}"]}\n`
  ]) {
    const socket = connect(place.join('control.sock'))
    let said = ''
    socket.on('data', piece => (said += String(piece))).on('error', () => {})
    socket.write(text)
    await new Promise(resolve => socket.once('close', resolve))
    assert.equal(said, '', text.slice(0, 50))
  }
  assert.deepEqual(fake.calls, [])
  assert.equal(await ask(place.path), 0)
})

function inside({ home }: FakeHome): RunLine {
  return (args, components) => run(args, { ...components, environment: {}, home })
}

/** The exit code of a verb; undefined when nobody is there. */
async function ask(directory: string): Promise<number | undefined> {
  const sink = { write: (_: unknown, done: () => void): void => done() }
  const { signal } = new AbortController()
  return await askControl(directory, ['replicas'], { stdout: sink, stderr: sink, signal })
}

function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

test.run()
