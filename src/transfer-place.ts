/** Where in which volume a path of the namespace stands, for transfers that work below paths. */
import { childPath, lastName, parentPath, walkVolume } from './namespace/index.ts'
import type { FileSystem, MountTable, TransferPlace } from './namespace/index.ts'
import { canonicalPath } from './namespace/index.ts'

/** The path itself need not exist; its parent must. Throws what the file system throws. */
export async function transferPlace(
  fs: FileSystem,
  table: MountTable,
  path: string
): Promise<TransferPlace> {
  const at = canonicalPath(path)
  const mounted = await table.at(at)
  if (mounted !== undefined) {
    return { volume: mounted.volume, directory: mounted.inode, name: undefined }
  }
  const parent = await fs.realpath(parentPath(at))
  const located = table.locate(childPath(parent, lastName(at)))
  const directory = await walkVolume(located.volume, parentPath(located.path))
  return { volume: located.volume, directory, name: lastName(located.path) }
}
