/** `createReadStream` and `createWriteStream` of a path. */
import type { FileSystemContext } from './context.ts'
import type { ReadStreamOptions, WriteStreamOptions } from './file-handle.ts'
import { readStream, writeStream } from './handle-streams.ts'
import { open } from './open.ts'
import type { PathLike } from './paths.ts'
import { toPath } from './paths.ts'

export function createReadStream(
  context: FileSystemContext,
  path: PathLike,
  options: ReadStreamOptions = {}
): ReadableStream<Uint8Array> {
  const written = toPath(path)
  return readStream(() => open(context, written, 'r'), { ...options, autoClose: true })
}

export function createWriteStream(
  context: FileSystemContext,
  path: PathLike,
  options: WriteStreamOptions & {
    readonly flags?: string | undefined
    readonly mode?: number | undefined
  } = {}
): WritableStream<Uint8Array | string> {
  const written = toPath(path)
  const flags = options.flags ?? (options.start === undefined ? 'w' : 'r+')
  return writeStream(() => open(context, written, flags, options.mode), options)
}
