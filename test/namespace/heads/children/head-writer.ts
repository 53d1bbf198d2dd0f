/** A process that changes one head as fast as it can and says each change that was acknowledged, until it is killed. */
import { writeSync } from 'node:fs'
import { openDiskHeadStore } from '../../../../src/namespace/disk/index.ts'
import { signHead } from '../../../../src/namespace/heads/head-record.ts'
import { createVolumeId } from '../../../../src/namespace/heads/volume-id.ts'
import { importSigningKey } from '../../../../src/peer/index.ts'
import { rootOf } from '../fixtures.ts'

const [directory, keyText] = process.argv.slice(2)
const key = await importSigningKey(new Uint8Array(Buffer.from(keyText!, 'hex')))
const store = await openDiskHeadStore(directory!)
let expected = (await store.get(createVolumeId(key.publicKey)))?.sequence
for (;;) {
  const sequence = (expected ?? 0) + 1
  const head = await signHead(key, { sequence, root: rootOf(sequence), timeMs: Date.now() })
  if (!(await store.compareAndSet(expected, head))) throw new Error(`${sequence} was refused`)
  writeSync(1, `${sequence}\n`)
  expected = sequence
}
