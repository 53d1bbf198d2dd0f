/** Hashes the beginning of a file on a thread, closes nothing, and is expected to end all the same. */
import { openSync } from 'node:fs'
import { FileHashers } from '../../../../src/blocks/disk/file-hashers.ts'

const hashers = new FileHashers({ threads: 1, startingBytes: 0, idleMs: 60_000 })
const descriptor = openSync(process.argv[2]!, 'r')
for (let index = 0; index < 20; index++) {
  const range = { descriptor, position: index * 100_000, length: 100_000, blockBytes: 50_000 }
  const hashed = await hashers.hash(range)
  hashed.release()
  await new Promise(resolve => setTimeout(resolve, 5))
}
console.log(`threads ${hashers.threads}`)
