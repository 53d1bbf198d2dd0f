/** `writeFile` and `appendFile`. */
import { WarrenError } from '../../errors.ts'
import { parseMode, requireCopies, textEncoding, withEncoding } from './arguments.ts'
import type { ContentSource } from './content-source.ts'
import { toSource } from './content-source.ts'
import type { FileSystemContext } from './context.ts'
import { newFile } from './context.ts'
import { attempt } from './failures.ts'
import type { FileHandle, WritableContent } from './file-handle.ts'
import type { WriteFileOptions } from './file-system.ts'
import { parseFlags } from './flags.ts'
import { open } from './open.ts'
import { OpenFileHandle } from './open-file-handle.ts'
import type { PathLike } from './paths.ts'
import { toPath } from './paths.ts'
import type { FixedPlace, NamePlace } from './resolve.ts'
import { resolveName } from './resolve.ts'
import type { ContentTarget } from './store-content.ts'
import { storeContent } from './store-content.ts'
import type { TextEncoding } from './text.ts'

const FILE_MODE = 0o666

export async function writeFile(
  context: FileSystemContext,
  path: PathLike | FileHandle,
  data: WritableContent,
  options?: WriteFileOptions | TextEncoding | null
): Promise<void> {
  const given: WriteFileOptions = withEncoding<WriteFileOptions>(options)
  const settings = isDurableHere(given) ? { ...given, flush: true } : given
  if (path instanceof OpenFileHandle) return await writeToHandle(path, data, settings)
  const written = toPath(path as PathLike)
  const source = toSource(data, textEncoding(settings.encoding))
  settings.signal?.throwIfAborted()
  const { write, truncate, append } = parseFlags(settings.flag ?? 'w')
  if (write && truncate && !append) await replace(context, written, source, settings)
  else await writeThrough(context, written, source, settings)
  await waitForCopies(context, written, settings)
}

export async function appendFile(
  context: FileSystemContext,
  path: PathLike | FileHandle,
  data: WritableContent,
  options?: WriteFileOptions | TextEncoding | null
): Promise<void> {
  const settings: WriteFileOptions = withEncoding<WriteFileOptions>(options)
  await writeFile(context, path, data, { ...settings, flag: settings.flag ?? 'a' })
}

async function replace(
  context: FileSystemContext,
  path: string,
  source: ContentSource,
  options: WriteFileOptions
): Promise<void> {
  const { exclusive, followLast } = parseFlags(options.flag ?? 'w')
  await attempt({ syscall: 'open', path }, async () => {
    const { signal } = options
    const place = await resolveName(context, path, { follow: followLast && !exclusive })
    const template = newFile(context, parseMode(options.mode, FILE_MODE))
    const target = await contentTarget(place, exclusive)
    await storeContent(context, { ...target, template, exclusive, signal }, source)
    if (options.flush === true) await target.volume.sync()
  })
}

async function writeToHandle(
  handle: OpenFileHandle,
  data: WritableContent,
  options: WriteFileOptions
): Promise<void> {
  const { durable = 0, signal } = options
  requireCopies(durable)
  await handle.writeFile(data, options)
  if (durable > 0) await handle.sync({ durable, signal })
}

function isDurableHere({ durable = 0 }: WriteFileOptions): boolean {
  requireCopies(durable)
  return durable === 1
}

/** The copies elsewhere: what is written is written, however that ends. */
async function waitForCopies(
  context: FileSystemContext,
  path: string,
  { durable: copies = 0, signal }: WriteFileOptions
): Promise<void> {
  if (copies <= 1) return
  await attempt({ syscall: 'fsync', path }, () =>
    context.durable(path, { copies, ...(signal && { signal }) })
  )
}

/** Where content for a place goes. Throws for what can hold none. */
export async function contentTarget(
  place: NamePlace | FixedPlace,
  exclusive: boolean
): Promise<Pick<ContentTarget, 'volume' | 'at' | 'found'>> {
  const { volume } = place.mounted
  const isTaken = place.name === undefined || place.entry !== undefined
  if (exclusive && isTaken) throw new WarrenError('EEXIST')
  if (place.name === undefined) {
    const inode = await place.snapshot.inode(place.inode)
    if (inode?.type !== 'file') throw new WarrenError('EISDIR')
    return { volume, at: inode.number, found: inode.number }
  }
  const { directory, name, entry, mustBeDirectory } = place
  if (entry?.type === 'directory') throw new WarrenError('EISDIR')
  if (mustBeDirectory) throw new WarrenError('EISDIR')
  return { volume, at: { directory, name }, found: entry?.inode }
}

/** For flags that keep what is there: append, or write over the beginning. */
async function writeThrough(
  context: FileSystemContext,
  path: string,
  source: ContentSource,
  options: WriteFileOptions
): Promise<void> {
  const handle = await open(context, path, options.flag ?? 'w', options.mode)
  try {
    const { signal } = options
    await handle.writeFile(source, signal === undefined ? {} : { signal })
    if (options.flush === true) await handle.sync()
  } finally {
    await handle.close()
  }
}
