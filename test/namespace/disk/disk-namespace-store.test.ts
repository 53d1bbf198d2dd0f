import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { openDiskNamespaceStore } from '../../../src/namespace/disk/index.ts'
import { createTemporaryDirectory } from '../../fixtures/temporary-directory.ts'

const test = suite('disk namespace store')

const record = (name: string): { mounts: never[]; shares: { path: string; name: string }[] } => ({
  mounts: [],
  shares: [{ path: '/photos', name }]
})

test('keeps what was saved', async () => {
  await using directory = await createTemporaryDirectory()
  assert.deepEqual(await openDiskNamespaceStore(directory.path).load(), { mounts: [], shares: [] })
  await openDiskNamespaceStore(directory.path).save(record('photos'))
  assert.deepEqual(await openDiskNamespaceStore(directory.path).load(), record('photos'))
})

test('keeps the last of those saved at once', async () => {
  await using directory = await createTemporaryDirectory()
  const store = openDiskNamespaceStore(directory.path)
  const names = Array.from({ length: 20 }, (_, index) => `photos ${index}`)
  await Promise.all(names.map(name => store.save(record(name))))
  assert.deepEqual(await store.load(), record('photos 19'))
})

test('says which file is damaged', async () => {
  await using directory = await createTemporaryDirectory()
  for (const text of ['', '{', '{"format":2}', '{"format":1,"mounts":[{}],"shares":[]}', 'null']) {
    await writeFile(directory.join('namespace.json'), text)
    await assert.rejects(openDiskNamespaceStore(directory.path).load(), {
      code: 'EIO',
      path: directory.join('namespace.json')
    })
  }
})

test.run()
