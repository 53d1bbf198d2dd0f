/**
 * Random writes, cuts, stores and reads through several handles on one file, against an array of
 * bytes. Blocks and buffers are small, so that every way of joining extents is taken.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { suite } from 'uvu'
import type { FileHandle, FileSystem } from '../../../src/namespace/fs/index.ts'
import { INLINE_BYTES_MAX } from '../../../src/namespace/volume/volume.ts'
import { createFileSystemFixture } from '../../fixtures/file-system.ts'

const BLOCK_BYTES = 4096
const SIZE_MAX = 400_000

type Step =
  | { readonly kind: 'write'; readonly at: number; readonly length: number; readonly fill: number }
  | { readonly kind: 'append'; readonly length: number; readonly fill: number }
  | { readonly kind: 'truncate'; readonly size: number }
  | { readonly kind: 'read'; readonly at: number; readonly length: number }
  | { readonly kind: 'sync' | 'readFile' | 'replace' | 'copy' | 'stat' }

const offset = fc.oneof(
  fc.nat(SIZE_MAX),
  fc.nat(3 * BLOCK_BYTES),
  fc.integer({ min: INLINE_BYTES_MAX - 3, max: INLINE_BYTES_MAX + 3 }),
  fc.nat(80).map(block => block * BLOCK_BYTES)
)
const length = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 30_000 }))
const fill = fc.integer({ min: 1, max: 255 })

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('write' as const), at: offset, length, fill })
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('append' as const), length, fill }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('truncate' as const), size: offset }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('read' as const), at: offset, length }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'sync' as const,
        'readFile' as const,
        'replace' as const,
        'copy' as const,
        'stat' as const
      )
    })
  }
)

class Model {
  bytes = new Uint8Array(0)

  write(at: number, data: Uint8Array): void {
    if (at + data.length > this.bytes.length) this.truncate(at + data.length)
    this.bytes.set(data, at)
  }

  truncate(size: number): void {
    const next = new Uint8Array(size)
    next.set(this.bytes.subarray(0, size))
    this.bytes = next
  }
}

async function apply(
  step: Step,
  model: Model,
  { fs, handles, index }: { fs: FileSystem; handles: readonly FileHandle[]; index: number }
): Promise<void> {
  const [plain, appending] = handles as [FileHandle, FileHandle]
  switch (step.kind) {
    case 'write': {
      const data = pattern(step.length, step.fill)
      model.write(step.at, data)
      await plain.write(data, 0, data.length, step.at)
      return
    }
    case 'append': {
      const data = pattern(step.length, step.fill)
      model.write(model.bytes.length, data)
      if (index % 2 === 0) await appending.write(data)
      else await fs.appendFile('/file', data)
      return
    }
    case 'truncate':
      model.truncate(step.size)
      return await plain.truncate(step.size)
    case 'read': {
      const buffer = new Uint8Array(step.length)
      const { bytesRead } = await plain.read(buffer, 0, step.length, step.at)
      const expected = model.bytes.subarray(step.at, step.at + step.length)
      assert.equal(bytesRead, expected.length)
      assert.equal(Buffer.compare(buffer.subarray(0, bytesRead), expected), 0)
      return
    }
    case 'sync':
      return await plain.sync()
    case 'readFile':
      assert.equal(Buffer.compare(await fs.readFile('/file'), model.bytes), 0)
      return
    case 'replace': {
      const data = pattern(Math.floor(model.bytes.length / 2), 9)
      model.bytes = data.slice()
      return await fs.writeFile('/file', data)
    }
    case 'copy':
      await fs.copyFile('/file', '/copy')
      assert.equal(Buffer.compare(await fs.readFile('/copy'), model.bytes), 0)
      return
    case 'stat':
      assert.equal((await fs.stat('/file')).size, model.bytes.length)
  }
}

const test = suite('file content')

for (const fileBufferBytes of [1024, 40_000, 4 * 1024 * 1024]) {
  test(`any sequence of writes reads back, buffering ${fileBufferBytes} bytes`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async steps => {
        const fixture = await createFileSystemFixture({ blockBytes: BLOCK_BYTES, fileBufferBytes })
        const { fs } = fixture
        const model = new Model()
        const handles = [await fs.open('/file', 'w+'), await fs.open('/file', 'a')]
        for (const [index, step] of steps.entries()) {
          await apply(step, model, { fs, handles, index })
        }
        for (const handle of handles) await handle.close()
        assert.equal(Buffer.compare(await fs.readFile('/file'), model.bytes), 0)
        await fixture.root.volume.close()
        const volume = await fixture.root.reopen()
        const again = await createFileSystemFixture({ root: { ...fixture.root, volume } })
        assert.equal(Buffer.compare(await again.fs.readFile('/file'), model.bytes), 0)
        await again.root.volume.close()
      }),
      { numRuns: 60 }
    )
  })
}

function pattern(length: number, fill: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).map((_, index) => (fill + index) & 0xff || 1)
}

test.run()
