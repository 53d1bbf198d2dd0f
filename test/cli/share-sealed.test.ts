/** A sealed folder is read by who has the key of its link, and by nobody else. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import type { TemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { runHere, startWarren } from './command-line.ts'
import type { RunningCommand } from './command-line.ts'

const OFFLINE = '--no-discovery'

const test = suite('share --sealed')

test('links open it with the key, and name it only without', async () => {
  await using place = await createTemporaryDirectory('sealed')
  const diary = await makeDiary(place)
  const first = share(place, [diary, '--sealed'])
  const link = await first.firstLine()
  assert.match(link, /&key=/)
  const read = await runHere(['cat', link, 'monday', OFFLINE])
  assert.deepEqual([read.code, read.stdout], [0, 'dear diary'])
  first.kill('SIGINT')
  assert.equal((await first.ended).code, 0)

  // It stays sealed without being asked for again.
  await using again = share(place, ['--no-key'])
  const hint = await again.firstLine()
  assert.doesNotMatch(hint, /key=|diary/)
  assert.equal((await runHere(['ls', link, OFFLINE])).stdout, 'monday\n')
  const key = /key=([^&]+)/.exec(link)![1]!
  for (const args of [
    ['ls', hint],
    ['ls', link, 'tuesday'],
    ['cat', link, 'tuesday'],
    ['stat', link, 'tuesday']
  ]) {
    const { code, stderr } = await runHere([...args, '--timeout', '2', OFFLINE])
    assert.notEqual(code, 0)
    assert.equal(stderr.includes(key), false, stderr)
  }
})

test('what was not sealed at first is not sealed later, and --no-key is not a lock', async () => {
  await using place = await createTemporaryDirectory('sealed')
  const diary = await makeDiary(place)
  const refused = await share(place, [diary, '--no-key']).ended
  assert.deepEqual([refused.code, refused.stdout], [2, ''])
  assert.match(refused.stderr, /--no-key: nothing here is sealed/)
  const args = ['shares', '--directory', place.join('store')]
  assert.equal((await runHere(args)).stdout, '')
  const late = await share(place, [diary, '--sealed']).ended
  assert.deepEqual([late.code, late.stdout], [2, ''])
  assert.match(late.stderr, /the volume is not sealed/)
})

async function makeDiary(place: TemporaryDirectory): Promise<string> {
  await mkdir(place.join('diary'))
  await writeFile(place.join('diary/monday'), 'dear diary')
  return place.join('diary')
}

function share(place: TemporaryDirectory, args: readonly string[]): RunningCommand {
  return startWarren(['share', ...args, '--directory', place.join('store'), OFFLINE])
}

test.run()
