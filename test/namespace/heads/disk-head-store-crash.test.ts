import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { openDiskHeadStore } from '../../../src/namespace/disk/index.ts'
import { createTemporaryDirectory } from '../../fixtures/temporary-directory.ts'
import { createOwner } from './fixtures.ts'
import type { Owner } from './fixtures.ts'

const writer = fileURLToPath(new URL('children/head-writer.ts', import.meta.url))
const test = suite('disk head store, killed')

/** Runs the writer, kills it after a number of acknowledged changes and gives the last of them. */
async function writeAndKill(directory: string, owner: Owner, changes: number): Promise<number> {
  const key = Buffer.from(owner.key.export()).toString('hex')
  const args = [...process.execArgv, writer, directory, key]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    if (output.split('\n').length > changes) child.kill('SIGKILL')
  })
  const signal = await new Promise(resolve => child.once('close', (_code, by) => resolve(by)))
  assert.equal(signal, 'SIGKILL')
  // The last line may have been cut off by the kill.
  return Number(output.split('\n').at(-2))
}

test('has every acknowledged head after kill -9', async () => {
  await using directory = await createTemporaryDirectory('heads')
  const owner = await createOwner()
  let last = 0
  for (const changes of [1, 2, 3, 40, 150]) {
    const acknowledged = await writeAndKill(directory.path, owner, changes)
    const store = await openDiskHeadStore(directory.path)
    const head = await store.get(owner.volume)
    await store.close()
    assert.ok(head !== undefined && acknowledged > last)
    const { sequence } = head
    assert.ok(sequence >= acknowledged, `${sequence} on disk, ${acknowledged} acknowledged`)
    assert.ok(sequence <= acknowledged + 1, `${sequence} on disk, ${acknowledged} acknowledged`)
    last = sequence
  }
})

test.run()
