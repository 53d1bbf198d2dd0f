/** Streams over handles, in the shapes of the web: the core has no `node:stream`. */
import { WarrenError } from '../../errors.ts'
import type { ReadStreamOptions, WriteStreamOptions } from './file-handle.ts'
import { expectLength } from './arguments.ts'
import { toBytes } from './content-source.ts'
import { copyBytes } from './copy-bytes.ts'
import { streamView } from './file-view.ts'
import type { OpenFileHandle } from './open-file-handle.ts'

/** Longest piece of a stream, in bytes, unless `highWaterMark` says otherwise. */
export const PIECE_BYTES: number = 256 * 1024

export interface HandleReadOptions extends ReadStreamOptions {
  readonly autoClose: boolean
}

/** Reads one version of the file from first to last byte. Opens it when the first piece is asked for. */
export function readStream(
  open: () => Promise<OpenFileHandle>,
  options: HandleReadOptions
): ReadableStream<Uint8Array> {
  checkRange(options)
  const pieces = readPieces(open, options)
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await pieces.next()
        if (next.done === true) controller.close()
        else controller.enqueue(next.value)
      },
      async cancel() {
        await pieces.return(undefined)
      }
    },
    // The volume reads ahead by itself; a queue here would only hold memory.
    { highWaterMark: 0 }
  )
}

export function writeStream(
  open: () => Promise<OpenFileHandle>,
  options: WriteStreamOptions
): WritableStream<Uint8Array | string> {
  const { signal, flush } = options
  let handle: OpenFileHandle
  let position = options.start
  return new WritableStream<Uint8Array | string>({
    async start() {
      signal?.throwIfAborted()
      handle = await open()
    },
    async write(chunk) {
      signal?.throwIfAborted()
      const bytes = toBytes(chunk)
      await handle.write(bytes, 0, bytes.length, position ?? null)
      if (position !== undefined) position += bytes.length
    },
    async close() {
      try {
        if (flush === true) await handle.sync()
      } finally {
        await handle.close()
      }
    },
    async abort() {
      await handle.close()
    }
  })
}

async function* readPieces(
  open: () => Promise<OpenFileHandle>,
  { start, end, highWaterMark, signal, autoClose }: HandleReadOptions
): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted()
  const handle = await open()
  try {
    const view = await handle.view({ signal })
    if (view.inode.type === 'directory') throw new WarrenError('EISDIR', { syscall: 'read' })
    const from = start ?? handle.position
    const to = end === undefined ? view.inode.size : end + 1
    const pieceBytes = highWaterMark ?? PIECE_BYTES
    for await (const bytes of streamView(view, from, to, signal ? { signal } : {})) {
      for (let offset = 0; offset < bytes.length; offset += pieceBytes) {
        signal?.throwIfAborted()
        // A copy: the bytes may be a stored block, and readers of streams own what they get.
        yield copyBytes(bytes.subarray(offset, offset + pieceBytes))
      }
    }
  } finally {
    if (autoClose) await handle.close()
  }
}

function checkRange({ start, end, highWaterMark }: ReadStreamOptions): void {
  if (start !== undefined) expectLength(start, 'start')
  if (end !== undefined && end !== Infinity) expectLength(end, 'end')
  if (highWaterMark !== undefined) expectLength(highWaterMark, 'highWaterMark')
  if (start !== undefined && end !== undefined && start > end) {
    throw Object.assign(
      new RangeError(`The value of "start" is out of range. It must be <= "end"`),
      {
        code: 'ERR_OUT_OF_RANGE'
      }
    )
  }
}
