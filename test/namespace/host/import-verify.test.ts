import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import {
  createTransferFixture,
  describeFolder,
  describeVolume,
  inodeAt,
  randomBytes,
  readInode
} from './host-fixtures.ts'

const test = suite('import with verify')

test('finds what was changed behind its times when it is asked to', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  mkdirSync(source)
  const change = (): void => {
    for (const [name, bytes] of Object.entries({ small: 100, large: 300_000 })) {
      writeFileSync(`${source}/${name}`, randomBytes(bytes))
      utimesSync(`${source}/${name}`, 1_000, 1_000)
    }
  }
  change()
  await fixture.import(source, 'copy')
  await fixture.import(`${source}/large`, 'one')
  change()
  const trusting = await fixture.import(source, 'copy')
  assert.deepEqual([trusting.files, trusting.skipped], [0, 2])
  const verifying = await fixture.import(source, 'copy', { verify: true })
  assert.deepEqual([verifying.files, verifying.skipped], [2, 0])
  assert.deepEqual(await describeVolume(fixture.volume, 'copy'), describeFolder(source))
  assert.equal((await fixture.import(`${source}/large`, 'one')).skipped, 1)
  await fixture.import(`${source}/large`, 'one', { verify: true })
  const same = [await inodeAt(fixture.volume, 'one'), await inodeAt(fixture.volume, 'copy/large')]
  const snapshot = await fixture.volume.snapshot()
  assert.deepEqual(await readInode(snapshot, same[0]!), await readInode(snapshot, same[1]!))
})

test.run()
