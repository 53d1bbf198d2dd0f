/** `truncate`: as Node does it, by opening the file. */
import type { FileSystemContext } from './context.ts'
import { open } from './open.ts'
import type { PathLike } from './paths.ts'

export async function truncate(
  context: FileSystemContext,
  path: PathLike,
  length: number = 0
): Promise<void> {
  const handle = await open(context, path, 'r+')
  try {
    await handle.truncate(length)
  } finally {
    await handle.close()
  }
}
