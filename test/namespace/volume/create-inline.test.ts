import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { INLINE_BYTES_MAX, ROOT_INODE } from '../../../src/namespace/volume/volume.ts'
import { createVolumeFixture } from '../../fixtures/volume.ts'

const test = suite('create with content')

test('makes a file with its content and times in one step', async () => {
  const { volume } = await createVolumeFixture()
  const inline = new Uint8Array(INLINE_BYTES_MAX).fill(7)
  const made = await volume.update(transaction =>
    transaction.create(ROOT_INODE, 'file', { type: 'file', mode: 0o600, mtimeMs: 5, inline })
  )
  assert.deepEqual([made.size, made.mtimeMs, made.links], [INLINE_BYTES_MAX, 5, 1])
  const snapshot = await volume.snapshot()
  const inode = await snapshot.inode(made.number)
  assert.deepEqual(inode, made)
  assert.deepEqual(await snapshot.inlineContents([made]), [inline])
  await volume.close()
})

test('gives an unlinked file its content too, and takes it away with it', async () => {
  const { volume } = await createVolumeFixture()
  const inline = Uint8Array.of(1, 2, 3)
  const made = await volume.update(transaction =>
    transaction.createUnlinked({ type: 'file', mode: 0o600, inline })
  )
  assert.deepEqual(await (await volume.snapshot()).inlineContents([made]), [inline])
  await volume.update(transaction => transaction.release(made.number))
  assert.deepEqual(await (await volume.snapshot()).inlineContents([made]), [undefined])
  await volume.close()
})

test('refuses content that is too long, and content of what is no file', async () => {
  const { volume } = await createVolumeFixture()
  const inline = new Uint8Array(INLINE_BYTES_MAX + 1)
  await assert.rejects(
    volume.update(transaction =>
      transaction.create(ROOT_INODE, 'long', { type: 'file', mode: 0, inline })
    ),
    { code: 'EFBIG' }
  )
  for (const type of ['directory', 'symlink'] as const) {
    const target = type === 'symlink' ? { target: 'x' } : {}
    await assert.rejects(
      volume.update(transaction =>
        transaction.create(ROOT_INODE, 'odd', {
          type,
          mode: 0,
          inline: new Uint8Array(1),
          ...target
        })
      ),
      { code: 'EINVAL' }
    )
  }
  assert.equal(await (await volume.snapshot()).lookup(ROOT_INODE, 'odd'), undefined)
  await volume.close()
})

test.run()
