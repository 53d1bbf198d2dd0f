import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { mkdir, readFile, readdir } from 'node:fs/promises'
import { writeFileDurably } from '../../../src/blocks/disk/durable-file.ts'
import { createTemporaryDirectory } from '../../fixtures/temporary-directory.ts'

const test = suite('durable file')
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

test('makes and replaces a file, and leaves nothing beside it', async () => {
  await using directory = await createTemporaryDirectory('durable')
  const path = directory.join('file')
  await writeFileDurably(path, bytes('a longer first version'))
  await writeFileDurably(path, bytes('second'))
  assert.equal(await readFile(path, 'utf8'), 'second')
  assert.deepEqual(await readdir(directory.path), ['file'])
})

test('overwrites what a crash left of an earlier try', async () => {
  await using directory = await createTemporaryDirectory('durable')
  await writeFileDurably(directory.join('file.new'), bytes('half of something longer'))
  await writeFileDurably(directory.join('file'), bytes('whole'))
  assert.equal(await readFile(directory.join('file'), 'utf8'), 'whole')
  assert.deepEqual(await readdir(directory.path), ['file'])
})

test('fails with a code and cleans up', async () => {
  await using directory = await createTemporaryDirectory('durable')
  await assert.rejects(writeFileDurably(directory.join('none', 'file'), bytes('x')), {
    name: 'WarrenError',
    code: 'ENOENT'
  })
  await mkdir(directory.join('taken'))
  await assert.rejects(writeFileDurably(directory.join('taken'), bytes('x')), { code: 'EISDIR' })
  assert.deepEqual(await readdir(directory.path), ['taken'])
})

test.run()
