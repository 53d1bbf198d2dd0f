/** What disks do after some years: bits of them turn over, and nobody is told. */
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Where a peer keeps blocks, below its directory. */
const SEGMENTS = 'blocks/segments'

/** As far apart as damaged bytes are. */
export const EVERY_BYTES: number = 64 * 1024

/** Turns over a byte here and there in the blocks of a peer. Resolves to how many. */
export async function corrupt(directory: string): Promise<number> {
  let damaged = 0
  for (const name of await readdir(join(directory, SEGMENTS))) {
    if (!name.endsWith('.segment')) continue
    await using file = await open(join(directory, SEGMENTS, name), 'r+')
    const { size } = await file.stat()
    for (let offset = EVERY_BYTES / 2; offset < size; offset += EVERY_BYTES) {
      const { buffer } = await file.read(new Uint8Array(1), 0, 1, offset)
      buffer[0]! ^= 0xff
      await file.write(buffer, 0, 1, offset)
      damaged++
    }
  }
  return damaged
}
