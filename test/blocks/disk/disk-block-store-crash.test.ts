import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openDiskBlockStore } from '../../../src/blocks/disk/index.ts'
import { createTemporaryDirectory } from '../../fixtures/temporary-directory.ts'
import { numberedBlock } from './numbered-blocks.ts'

/** Hundreds of rounds are for changes of the engine; `WARREN_CRASH_ROUNDS=500`. */
const ROUNDS = Number(process.env.WARREN_CRASH_ROUNDS ?? 12)
const WRITING_MS_MAX = 60
/** A slow machine does fewer rounds, unless it was told how many. */
const MS_MAX = process.env.WARREN_CRASH_ROUNDS === undefined ? 15_000 : Infinity
const writer = fileURLToPath(new URL('./children/writer.ts', import.meta.url))

const test = suite('disk block store, killed')

/** What the store was told and what it promised, over all rounds. */
class Promises {
  readonly present = new Set<number>()
  readonly removed = new Set<number>()
  end = 0

  hear(line: string): void {
    const [word, first, end] = line.split(' ') as [string, string, string]
    const number = Number(first)
    if (word === 'put') {
      for (let put = number; put < Number(end); put++) {
        // Numbers only grow, so a number that is put again was put by a round that was killed.
        this.present.add(put)
        this.removed.delete(put)
      }
      this.end = Number(end)
    } else if (word === 'removing') this.present.delete(number)
    else if (word === 'removed') this.removed.add(number)
  }
}

test('keeps every block that was synced, and no half of any', async () => {
  await using directory = await createTemporaryDirectory('crash')
  const promises = new Promises()
  const begin = performance.now()
  for (let round = 0; round < ROUNDS && performance.now() - begin < MS_MAX; round++) {
    await writeAndDie(directory.path, promises)
    const damaged: string[] = []
    const onDamaged = (id: string): void => void damaged.push(id)
    const store = await openDiskBlockStore(directory.path, { segmentBytesMax: 300_000, onDamaged })
    try {
      const context = `round ${round}`
      for (const number of promises.present) {
        const { id, bytes } = await numberedBlock(number)
        assert.deepEqual(await store.get(id), bytes, `${context}: lost block ${number}`)
      }
      for (const number of promises.removed) {
        const { id } = await numberedBlock(number)
        assert.equal(await store.has(id), false, `${context}: block ${number} came back`)
      }
      let listed = 0
      for await (const id of store.ids()) {
        assert.notEqual(await store.get(id), undefined, `${context}: ${id} is listed and not there`)
        listed++
      }
      assert.equal(store.usage().blocks, listed)
      assert.deepEqual(damaged, [])
    } finally {
      await store.close()
    }
  }
  assert.ok(promises.end > 0, 'the writer has not written')
})

async function writeAndDie(directory: string, promises: Promises): Promise<void> {
  // Numbers that a killed round put without a promise are put again or left alone: both are fine.
  const flags = ['--conditions=warren-source', writer, directory, String(promises.end)]
  const child = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise(resolve => child.once('exit', resolve))
  let kill: Promise<void> | undefined
  for await (const line of createInterface({ input: child.stdout })) {
    if (line !== 'open') promises.hear(line)
    kill ??= sleep(Math.random() * WRITING_MS_MAX).then(() => void child.kill('SIGKILL'))
  }
  await kill
  await ended
}

test.run()
