/** `readFile`: a whole file, of one version, in one buffer. */
import { withEncoding } from './arguments.ts'
import type { FileSystemContext } from './context.ts'
import { attempt } from './failures.ts'
import type { FileHandle } from './file-handle.ts'
import { createView, readRest } from './file-view.ts'
import type { FileView } from './file-view.ts'
import type { ReadFileOptions } from './file-system.ts'
import { parseFlags } from './flags.ts'
import { open } from './open.ts'
import { OpenFileHandle } from './open-file-handle.ts'
import type { PathLike } from './paths.ts'
import { toPath } from './paths.ts'
import type { Place } from './resolve.ts'
import { resolve } from './resolve.ts'
import type { EncodingOption } from './text.ts'
import { inEncoding } from './text.ts'

export async function readFile(
  context: FileSystemContext,
  path: PathLike | FileHandle,
  options?: ReadFileOptions | EncodingOption
): Promise<Uint8Array | string> {
  const settings: ReadFileOptions = withEncoding<ReadFileOptions>(options)
  const { encoding, signal, flag } = settings
  if (path instanceof OpenFileHandle) return await path.readFile(settings)
  const written = toPath(path as PathLike)
  signal?.throwIfAborted()
  if (flag !== undefined && isMoreThanReading(flag)) {
    const handle = await open(context, written, flag)
    try {
      return await handle.readFile(settings)
    } finally {
      await handle.close()
    }
  }
  const bytes = await attempt({ syscall: 'open', path: written }, async () => {
    const place = await resolve(context, written, signal === undefined ? {} : { signal })
    return await readRest(await viewOf(context, place), 0, signal)
  })
  return inEncoding(bytes, encoding)
}

/**
 * The file at a place as it is now, with what is buffered for it. What was buffered when its path
 * was looked up may have been stored since, in a newer version than the one looked at.
 */
export async function viewOf(context: FileSystemContext, place: Place): Promise<FileView> {
  const { volume, inode } = place
  const file = context.files.find(volume, inode.number)
  if (file !== undefined) return await file.view()
  if (!volume.writable) return createView(place.snapshot, inode, [])
  const snapshot = await volume.snapshot()
  const now = snapshot.tree === place.snapshot.tree ? inode : await snapshot.inode(inode.number)
  if (now === undefined) return createView(place.snapshot, inode, [])
  return createView(snapshot, now, [])
}

function isMoreThanReading(flag: string | number): boolean {
  const { write, create, truncate } = parseFlags(flag)
  return write || create || truncate
}
