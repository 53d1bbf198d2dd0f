import { openDiskBlockStore } from '../../../src/blocks/disk/index.ts'
import { testBlockStore } from '../../contracts/block-store-contract.ts'
import { createTemporaryDirectory } from '../../fixtures/temporary-directory.ts'
import type { TemporaryDirectory } from '../../fixtures/temporary-directory.ts'

let directory: TemporaryDirectory

testBlockStore('disk', {
  create: async () => {
    directory = await createTemporaryDirectory('blocks')
    return openDiskBlockStore(directory.path)
  },
  reopen: () => openDiskBlockStore(directory.path),
  destroy: () => directory.remove()
})

testBlockStore('disk, in segments that hold little', {
  create: async () => {
    directory = await createTemporaryDirectory('blocks')
    return openDiskBlockStore(directory.path, { segmentBytesMax: 10_000 })
  },
  reopen: () => openDiskBlockStore(directory.path, { segmentBytesMax: 10_000 }),
  destroy: () => directory.remove()
})
