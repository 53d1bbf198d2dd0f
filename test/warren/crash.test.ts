/**
 * `kill -9` of a peer at random moments. After each: it opens, everything that was acknowledged as
 * synced is there, what is there is the state after some change and not between two, the tree is
 * consistent, and it is the same peer.
 *
 * `WARREN_CRASH_ROUNDS=300 WARREN_CRASH_SEED=7` makes it longer, and repeatable as far as time is.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import type { WarrenOptions } from '../../src/index.ts'
import { spawnPeer } from '../fixtures/child-process.ts'
import type { PeerProcess } from '../fixtures/child-process.ts'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { requireSound } from './check-version.ts'
import { startWarren } from './fixtures.ts'
import { TreeModel, createRandom, describeTree, randomChange } from './tree-model.ts'
import type { Random } from './tree-model.ts'

const ROUNDS = Number(process.env['WARREN_CRASH_ROUNDS'] ?? 12)
const SEED = Number(process.env['WARREN_CRASH_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

const test = suite(`crash (seed ${SEED})`)
const module = new URL('./children/warren-peer.ts', import.meta.url)

function spawnWarren(options: WarrenOptions): Promise<PeerProcess> {
  return spawnPeer(module, [JSON.stringify({ listen: [], ...options })])
}

test(`a writer killed ${ROUNDS} times loses nothing that was synced`, async () => {
  await killWriters(ROUNDS, {})
})

const SEALED_ROUNDS = Math.ceil(ROUNDS / 3)

test(`nor does the writer of a sealed volume killed ${SEALED_ROUNDS} times`, async () => {
  await killWriters(SEALED_ROUNDS, { sealed: true })
})

async function killWriters(rounds: number, options: WarrenOptions): Promise<void> {
  await using directory = await createTemporaryDirectory('crash')
  const random = createRandom(SEED)
  let identity: unknown
  let model = new TreeModel()
  for (let round = 1; round <= rounds; round++) {
    const alice = await spawnWarren({ ...options, directory: directory.path })
    const who = await alice.call('identity')
    identity ??= who
    assert.deepEqual(who, identity)
    const states = await changeUntilKilled(alice, model, random)
    await requireSound(directory.path)
    await using again = await startWarren({ directory: directory.path, listen: [] })
    const found = await describeTree(again.fs)
    const index = states.findLastIndex(({ lines }) => isEqual(lines, found))
    if (index === -1) {
      assert.deepEqual(found, states[0]!.lines, `round ${round}: none of ${states.length} states`)
    }
    model = states[index]!.model()
  }
}

interface State {
  readonly lines: readonly string[]
  readonly model: () => TreeModel
}

/** Resolves to every state that may be found: from the last that was synced to the last that was begun. */
async function changeUntilKilled(
  alice: PeerProcess,
  model: TreeModel,
  random: Random
): Promise<State[]> {
  const states: State[] = [stateOf(model)]
  let isKilled = false
  const killing = new Promise(resolve => setTimeout(resolve, 20 + random() * 300)).then(() => {
    isKilled = true
    return alice.kill()
  })
  const working = (async () => {
    for (;;) {
      const change = randomChange(model, random)
      model.apply(change)
      states.push(stateOf(model))
      await alice.call('change', change)
      if (random() > 0.15) continue
      // What is made while a sync is under way may be in it or not.
      const before = states.length - 1
      const syncing = alice.call('do', 'sync')
      const next = randomChange(model, random)
      model.apply(next)
      states.push(stateOf(model))
      await Promise.all([alice.call('change', next), syncing])
      states.splice(0, before)
    }
  })()
  const failure = await working.catch((error: unknown) => error)
  await killing
  if (!isKilled || !String(failure).includes('SIGKILL')) throw failure
  return states
}

function stateOf(model: TreeModel): State {
  const copy = model.copy()
  return { lines: copy.describe(), model: () => copy }
}

function isEqual(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((line, index) => line === other[index])
}

test('killed while it starts, it starts the next time and is who it was', async () => {
  await using directory = await createTemporaryDirectory('crash-start')
  const random = createRandom(SEED)
  let identity: unknown
  for (let round = 0; round < Math.min(ROUNDS, 40) / 2; round++) {
    const options = JSON.stringify({ listen: [], directory: directory.path })
    const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(module), options], {
      stdio: ['pipe', 'ignore', 'ignore']
    })
    const existed = await eventuallyStarts(directory.path, 3_000)
    await new Promise(resolve => setTimeout(resolve, random() * (existed ? 60 : 10)))
    const ended = once(child, 'close')
    child.kill('SIGKILL')
    await ended
    await using alice = await startWarren({ directory: directory.path, listen: [] })
    identity ??= [alice.id, alice.volume]
    assert.deepEqual([alice.id, alice.volume], identity)
    assert.deepEqual(await alice.fs.readdir('/'), [])
  }
})

/** Waits until a starting warren has locked its directory. */
async function eventuallyStarts(directory: string, milliseconds: number): Promise<boolean> {
  const until = performance.now() + milliseconds
  while (performance.now() < until) {
    const names: readonly string[] = await readdir(directory)
    if (names.includes('LOCK')) return true
    await new Promise(resolve => setTimeout(resolve, 2))
  }
  return false
}

test.run()
