/** Started and stopped many times in one process, nothing is left behind. */
import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { suite } from 'uvu'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { eventually, startWarren, timed } from './fixtures.ts'

const test = suite('restarts')

const CYCLES = 50

test(`${CYCLES} starts and stops leave no handle, no listener and no growth`, async () => {
  await using directory = await createTemporaryDirectory('restarts')
  await using alice = await startWarren()
  await alice.fs.writeFile('/a.txt', 'a')
  const link = await alice.share('/')
  const cycle = async (number: number): Promise<string> => {
    const bob = await startWarren({ directory: directory.path })
    if (number === 0) await bob.mount('/alice', link)
    await bob.fs.writeFile(`/${number}.txt`, 'x')
    assert.equal(await bob.fs.readFile('/alice/a.txt', 'utf8'), 'a')
    await bob.stop()
    return bob.id
  }
  const id = await cycle(0)
  await settled()
  const handles = resources()
  const listeners = processListeners()
  const heapBytes = usedBytes()
  const { milliseconds } = await timed(async () => {
    for (let number = 1; number <= CYCLES; number++) assert.equal(await cycle(number), id)
  })
  console.log(`${Math.round(milliseconds / CYCLES)} ms a cycle`)
  await eventually(() => assert.deepEqual(beyond(resources(), handles), []))
  assert.deepEqual(processListeners(), listeners)
  const grownMiB = (usedBytes() - heapBytes) / 2 ** 20
  console.log(`${grownMiB.toFixed(1)} MiB grown`)
  assert.ok(grownMiB < 10, `the heap has grown by ${grownMiB} MiB`)
  await using again = await startWarren({ directory: directory.path })
  assert.equal((await again.fs.readdir('/')).length, CYCLES + 2)
})

test('a warren that is stopped at once leaves nothing either', async () => {
  await settled()
  const before = resources()
  const warrens = await Promise.all(Array.from({ length: 5 }, () => startWarren()))
  await Promise.all(warrens.map(warren => warren.stop()))
  await eventually(() => assert.deepEqual(beyond(resources(), before), []))
})

/** libp2p has timers of its own that end within a second or so. */
function settled(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 2_000))
}

function resources(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter(name => name !== 'Immediate')
    .sort()
}

/** What is there now and was not before. On a slow machine a timer of before may have ended since. */
function beyond(now: readonly string[], before: readonly string[]): string[] {
  const left = [...before]
  return now.filter(name => {
    const at = left.indexOf(name)
    if (at !== -1) left.splice(at, 1)
    return at === -1
  })
}

function processListeners(): Record<string, number> {
  const names = process.eventNames().map(String)
  return Object.fromEntries(names.map(name => [name, process.listenerCount(name)]))
}

function usedBytes(): number {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  return process.memoryUsage().heapUsed
}

test.run()
