import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openDiskScrubStore } from '../../../src/replication/disk/index.ts'
import { createTemporaryDirectory } from '../../fixtures/temporary-directory.ts'

const test = suite('disk scrub store')

test('keeps the last record, and knows nothing of a damaged one', async () => {
  await using directory = await createTemporaryDirectory()
  assert.equal(await openDiskScrubStore(directory.path).load(), undefined)
  const record = { beganMs: 1e12, listed: 7, finished: false }
  await openDiskScrubStore(directory.path).save(record)
  assert.deepEqual(await openDiskScrubStore(directory.path).load(), record)
  const wrong = ['', '{', 'null', '7', '[]', '{"beganMs":1,"listed":-1,"finished":true}']
  for (const text of [...wrong, '{"beganMs":"1","listed":1,"finished":true}']) {
    await writeFile(join(directory.path, 'scrub.json'), text)
    assert.equal(await openDiskScrubStore(directory.path).load(), undefined, text)
  }
})

test.run()
