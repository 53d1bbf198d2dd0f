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
    await using handle = await open(context, written, flag)
    return await handle.readFile(settings)
  }
  const bytes = await attempt({ syscall: 'open', path: written }, async () => {
    const place = await resolve(context, written, signal === undefined ? {} : { signal })
    return await readRest(await viewOf(context, place), 0, signal)
  })
  return inEncoding(bytes, encoding)
}

/** The file at a place as it is now, with what is buffered for it. */
export async function viewOf(context: FileSystemContext, place: Place): Promise<FileView> {
  const file = context.files.find(place.volume, place.inode.number)
  return file?.dirty === true ? await file.view() : createView(place.snapshot, place.inode, [])
}

function isMoreThanReading(flag: string | number): boolean {
  const { write, create, truncate } = parseFlags(flag)
  return write || create || truncate
}
