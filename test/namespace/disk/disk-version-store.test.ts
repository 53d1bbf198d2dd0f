import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { createBlock } from '../../../src/blocks/index.ts'
import { openDiskVersionStore } from '../../../src/namespace/disk/index.ts'
import type { VolumeId } from '../../../src/namespace/index.ts'
import type { Version } from '../../../src/namespace/volume/version-store.ts'
import { createTemporaryDirectory } from '../../fixtures/temporary-directory.ts'

const test = suite('disk version store')
const volume = 'k51-alice' as VolumeId

test('keeps what was saved, for the volume it was saved for', async () => {
  await using directory = await createTemporaryDirectory('versions')
  assert.deepEqual(await openDiskVersionStore(directory.path).load(volume), [])
  const versions = [await version(1), await version(3)]
  await openDiskVersionStore(directory.path).save(volume, versions)
  assert.deepEqual(await openDiskVersionStore(directory.path).load(volume), versions)
  assert.deepEqual(await openDiskVersionStore(directory.path).load('k51-bob' as VolumeId), [])
})

test('keeps the last of those saved at once', async () => {
  await using directory = await createTemporaryDirectory('versions')
  const store = openDiskVersionStore(directory.path)
  const all = await Promise.all(Array.from({ length: 10 }, (_, index) => version(index)))
  await Promise.all(all.map((_, index) => store.save(volume, all.slice(0, index + 1))))
  assert.deepEqual(await store.load(volume), all)
})

test('takes a damaged file for none', async () => {
  await using directory = await createTemporaryDirectory('versions')
  const store = openDiskVersionStore(directory.path)
  const good = { sequence: 1, root: (await version(1)).root, timeMs: 1 }
  const file = (fields: object): string =>
    JSON.stringify({ format: 1, volume, versions: [good], ...fields })
  await writeFile(directory.join('versions.json'), file({}))
  assert.deepEqual(await store.load(volume), [good])
  const damaged = [
    '',
    '{',
    'null',
    '[]',
    file({ format: 2 }),
    file({ versions: 7 }),
    file({ versions: [null] }),
    file({ versions: [{ ...good, root: 'nothing' }] }),
    file({ versions: [{ ...good, root: 5 }] }),
    file({ versions: [{ ...good, sequence: 1.5 }] }),
    file({ versions: [{ ...good, timeMs: '1' }] }),
    file({}).slice(0, -10)
  ]
  for (const text of damaged) {
    await writeFile(directory.join('versions.json'), text)
    assert.deepEqual(await store.load(volume), [], text)
  }
})

test.run()

async function version(sequence: number): Promise<Version> {
  const { id } = await createBlock('dag-cbor', Uint8Array.of(sequence))
  return { sequence, root: id, timeMs: 1_000 * sequence }
}
