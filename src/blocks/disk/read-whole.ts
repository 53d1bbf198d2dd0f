/** Reading a small file that need not be there. */
import type { FileSystem } from './file-system.ts'

/** `undefined` when there is no such file or it cannot be read. */
export async function readWhole(
  fileSystem: FileSystem,
  path: string
): Promise<Uint8Array | undefined> {
  try {
    const file = await fileSystem.open(path, 'read')
    try {
      const bytes = new Uint8Array(await file.size())
      return bytes.subarray(0, await file.read(bytes, 0))
    } finally {
      await file.close()
    }
  } catch {
    return undefined
  }
}
