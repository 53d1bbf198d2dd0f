/** A process that holds a directory. */
import { lockDirectory } from '../../../../src/blocks/disk/directory-lock.ts'
import type { DirectoryLock } from '../../../../src/blocks/disk/directory-lock.ts'
import { answerCalls } from '../../../fixtures/answer-calls.ts'

let lock: DirectoryLock | undefined

answerCalls({
  lock: async (path: string) => {
    lock = await lockDirectory(path)
  },
  release: () => lock?.release()
})
