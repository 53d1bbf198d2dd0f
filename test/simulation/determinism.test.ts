/** What a simulation does depends on its seed alone: that is what makes a failure one to be mended. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { SeededRandom } from './seeded-random.ts'
import { sealProcess } from './sealed-process.ts'
import { SimulatedClock } from './simulated-clock.ts'
import { simulate } from './simulation.ts'

const STEPS = 300

const test = suite('determinism of the simulation')

test('the same seed does the same, twice in one process and once in another', async () => {
  const [one, two] = [
    await simulate({ seed: 7, steps: STEPS }),
    await simulate({ seed: 7, steps: STEPS })
  ]
  assert.deepEqual(two, one)
  const main = join(import.meta.dirname, 'main.ts')
  const options = ['--seed', '7', '--steps', String(STEPS)]
  const flags = [...process.execArgv, main, ...options]
  const other = spawnSync(process.execPath, flags, { encoding: 'utf8', timeout: 60_000 })
  assert.match(other.stdout, new RegExp(`digest ${one.digest}`), other.stderr)
})

test('another seed does something else', async () => {
  const [one, other] = [
    await simulate({ seed: 8, steps: 50 }),
    await simulate({ seed: 9, steps: 50 })
  ]
  assert.notEqual(one.digest, other.digest)
})

test('nothing in a simulation waits for the real world', async () => {
  const waits = new Set<string>()
  const write = (): void => process.getActiveResourcesInfo().forEach(wait => waits.add(wait))
  const before = new Set(process.getActiveResourcesInfo())
  await simulate({ seed: 10, steps: 100, write })
  assert.deepEqual(
    [...waits].filter(wait => !before.has(wait) && wait !== 'Immediate'),
    []
  )
})

test('timers run in the order in which they are due, and promises in between', async () => {
  const clock = new SimulatedClock(0)
  const ran: string[] = []
  clock.after(20, () => ran.push('b'))
  clock.after(10, () => {
    ran.push('a')
    clock.after(10, () => ran.push('c'))
    void Promise.resolve().then(() => ran.push('promise'))
  })
  const cancel = clock.after(15, () => ran.push('never'))
  cancel()
  clock.after(21, () => ran.push('later'))
  await clock.run(20)
  assert.deepEqual(ran, ['a', 'promise', 'b', 'c'])
  assert.equal(clock.now(), 20)
})

test('many timers come in order', async () => {
  const clock = new SimulatedClock(0)
  const random = new SeededRandom(1)
  const due: number[] = []
  for (let count = 0; count < 1_000; count++)
    clock.after(random.below(500), () => due.push(clock.now()))
  await clock.run(500)
  assert.equal(due.length, 1_000)
  assert.deepEqual(
    due,
    due.toSorted((one, other) => one - other)
  )
})

test('a sealed process has neither time nor chance of its own, and gets them back', async () => {
  const clock = new SimulatedClock(1_000)
  const { setTimeout: realTimer } = globalThis
  const unseal = sealProcess(clock, new SeededRandom(1))
  try {
    const drawn = [Math.random(), crypto.getRandomValues(new Uint32Array(1))[0]]
    const again = new SeededRandom(1)
    const bytes = new Uint8Array(4)
    assert.equal(drawn[0], again.next())
    again.fill(bytes)
    assert.equal(drawn[1], new Uint32Array(bytes.buffer)[0])
    assert.equal(Date.now(), 1_000)
    let ran = false
    setTimeout(() => (ran = true), 60_000)
    const aborted = AbortSignal.timeout(60_000)
    await clock.run(59_999)
    assert.deepEqual([ran, aborted.aborted], [false, false])
    await clock.run(1)
    assert.deepEqual([ran, aborted.aborted], [true, true])
  } finally {
    unseal()
  }
  assert.equal(globalThis.setTimeout, realTimer)
  assert.ok(Date.now() > 1_000)
})

test.run()
