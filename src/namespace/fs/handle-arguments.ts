/** What `read` and `write` of a handle may be given: Node takes the same in several forms. */
import { expectLength } from './arguments.ts'
import { viewBytes } from './content-source.ts'
import type { ReadOptions, WriteOptions } from './file-handle.ts'
import type { TextEncoding } from './text.ts'
import { encodeText } from './text.ts'

/** The forms of `read`'s arguments, in one. */
export function readOptions<Buffer extends ArrayBufferView>(
  first: Buffer | ReadOptions<Buffer> | undefined,
  second: number | null | undefined | Omit<ReadOptions<Buffer>, 'buffer'>,
  rest: Pick<ReadOptions<Buffer>, 'length' | 'position'>
): ReadOptions<Buffer> {
  if (!ArrayBuffer.isView(first)) return first ?? {}
  if (typeof second === 'object' && second !== null) return { ...second, buffer: first }
  return { ...rest, buffer: first, offset: second }
}

/** The part of a buffer that offset and length say. Throws a `RangeError` outside of it. */
export function range(
  bytes: Uint8Array,
  { offset, length }: Pick<WriteOptions, 'offset' | 'length'>
): Uint8Array {
  const from = expectLength(offset ?? 0, 'offset', bytes.length)
  const count = expectLength(length ?? bytes.length - from, 'length', bytes.length - from)
  return bytes.subarray(from, from + count)
}

/** Where to read; undefined: where the handle is. */
export function filePosition(position: number | bigint | null | undefined): number | undefined {
  if (position === null || position === undefined) return undefined
  const at = Number(position)
  return at === -1 ? undefined : expectLength(at, 'position')
}

/** The forms of `write`'s arguments, in one. */
export function writeArguments(
  data: ArrayBufferView | string,
  second: number | null | undefined | WriteOptions,
  third: number | null | undefined | TextEncoding,
  position: number | null | undefined
): { readonly bytes: Uint8Array; readonly at: number | undefined } {
  if (typeof data === 'string') {
    const encoding = typeof third === 'string' ? third : 'utf8'
    return { bytes: encodeText(data, encoding), at: writePosition(second) }
  }
  const options =
    typeof second === 'object' && second !== null
      ? second
      : { offset: second, length: typeof third === 'number' ? third : null, position }
  return { bytes: range(viewBytes(data), options), at: writePosition(options.position) }
}

/** Node takes everything that is no number for "where the handle is". */
function writePosition(position: unknown): number | undefined {
  return typeof position === 'number' && position >= 0 ? position : undefined
}
