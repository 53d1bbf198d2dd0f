/** What callers hand over to be written, as pieces of bytes. */
import { copyBytes } from './copy-bytes.ts'
import type { WritableContent } from './file-handle.ts'
import { misuse } from './paths.ts'
import type { TextEncoding } from './text.ts'
import { encodeText } from './text.ts'

/** Long content that is in memory already is handed on in pieces of this size. */
const PIECE_BYTES = 1024 * 1024

/** Bytes that are in memory, or a source of pieces. */
export type ContentSource = Uint8Array | AsyncIterable<Uint8Array>

/** Throws a `TypeError` for what is neither text nor bytes nor a source of them. */
export function toSource(data: WritableContent, encoding?: TextEncoding): ContentSource {
  if (typeof data === 'string' || ArrayBuffer.isView(data)) return toBytes(data, encoding)
  if (isIterable(data)) return pieces(data, encoding)
  throw misuse(
    'The "data" argument must be of type string or an instance of Uint8Array, DataView, Iterable or AsyncIterable',
    'ERR_INVALID_ARG_TYPE'
  )
}

export function toBytes(data: string | ArrayBufferView, encoding?: TextEncoding): Uint8Array {
  if (typeof data === 'string') return encodeText(data, encoding)
  if (ArrayBuffer.isView(data)) return viewBytes(data)
  throw misuse(
    'The "data" argument must be of type string or an instance of Uint8Array or DataView',
    'ERR_INVALID_ARG_TYPE'
  )
}

/**
 * The bytes that a view shows, shared with it. Never a Node `Buffer`, so that below here `slice` is a
 * copy, as it is for every other array of bytes.
 */
export function viewBytes(view: ArrayBufferView): Uint8Array {
  return view.constructor === Uint8Array
    ? (view as Uint8Array)
    : new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}

/** A source as pieces. Bytes in memory are copied, since their owner may change them afterwards. */
export async function* piecesOf(
  source: ContentSource,
  signal?: AbortSignal
): AsyncGenerator<Uint8Array> {
  if (source instanceof Uint8Array) {
    for (let offset = 0; offset < source.length; offset += PIECE_BYTES) {
      signal?.throwIfAborted()
      yield copyBytes(source.subarray(offset, offset + PIECE_BYTES))
    }
    return
  }
  for await (const piece of signal === undefined ? source : abortable(source, signal)) {
    if (piece.length > 0) yield piece
  }
}

/** Ends with the signal's reason at once, even while the source has nothing to give. */
async function* abortable(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal
): AsyncGenerator<Uint8Array> {
  // One promise for each piece: reactions on a single one for all would pile up.
  let fail: (reason: unknown) => void = () => {}
  const abort = (): void => fail(signal.reason)
  signal.addEventListener('abort', abort)
  const iterator = source[Symbol.asyncIterator]()
  try {
    for (;;) {
      signal.throwIfAborted()
      const next = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        fail = reject
        iterator.next().then(resolve, reject)
      })
      if (next.done === true) return
      yield next.value
    }
  } finally {
    signal.removeEventListener('abort', abort)
    // Not awaited: a source that waits for ever would keep us here.
    void iterator.return?.().catch(() => {})
  }
}

async function* pieces(
  data: AsyncIterable<string | ArrayBufferView> | Iterable<string | ArrayBufferView>,
  encoding: TextEncoding | undefined
): AsyncGenerator<Uint8Array> {
  for await (const piece of data) yield toBytes(piece, encoding)
}

function isIterable(data: unknown): boolean {
  if (typeof data !== 'object' || data === null) return false
  return Symbol.asyncIterator in data || Symbol.iterator in data
}
