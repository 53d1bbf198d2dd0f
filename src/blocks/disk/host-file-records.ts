/**
 * The records of the log that says which blocks are ranges of which host files.
 *
 * A frame is a body with its length and its CRC-32 (the zlib one) before it, both 4 bytes. Numbers
 * are little-endian; an f64 that stands for a whole number is one. The body begins with its type:
 *
 *     1 file        number u32, size f64, mtimeMs f64, inode f64, path in UTF-8
 *     2 references  number u32, previous f64, then 42 bytes each: codec u8, digest 32 bytes,
 *                   offset u48, length u24
 *     3 forget      number u32
 *     4 delete      33 bytes each: codec u8, digest 32 bytes
 *
 * A `file` record gives a file a number that no other has; if it had one, in an older state, that one
 * is to be forgotten after it.
 * `previous` is the position of the file's record before this one, so that the references of one
 * file can be walked from the last to the first without a list of them in memory.
 */
import { isAbsolute } from 'node:path'
import { crc32 } from 'node:zlib'
import { BLOCK_BYTES_MAX } from '../block.ts'
import { BLOCK_ID_BYTES } from '../block-id.ts'
import type { HostFile } from './host-file-state.ts'

export interface FileRecord extends HostFile {
  readonly type: 'file'
  readonly number: number
  readonly path: string
}

export interface ReferencesRecord {
  readonly type: 'references'
  readonly number: number
  readonly previous: number
  /** Packed; see `forEachReference`. */
  readonly references: Uint8Array
}

export type HostFileRecord =
  | FileRecord
  | ReferencesRecord
  | { readonly type: 'forget'; readonly number: number }
  /** `ids` is packed; see `forEachId`. */
  | { readonly type: 'delete'; readonly ids: Uint8Array }

/** A range of a file that is the block `id`, in its binary form. */
export interface Reference {
  readonly id: Uint8Array
  readonly offset: number
  readonly length: number
}

export const FRAME_HEAD_BYTES = 8
export const REFERENCE_BYTES = 42
const DELETED_BYTES = 33
const FILE_HEAD_BYTES = 29
const REFERENCES_HEAD_BYTES = 13
const FORGET_BYTES = 5

/** References or ids in a record: what a walk over a file holds in memory at a time, 170 KiB. */
export const RECORD_ITEMS_MAX = 4096
/** Linux allows 4096 bytes; Windows allows 32767 UTF-16 units, of 3 bytes each at most. */
export const PATH_BYTES_MAX: number = 3 * 32_767
/** A longer body was not written by us. */
export const BODY_BYTES_MAX: number = REFERENCES_HEAD_BYTES + RECORD_ITEMS_MAX * REFERENCE_BYTES
export const OFFSET_MAX: number = 2 ** 42 - 1

const TYPE = { file: 1, references: 2, forget: 3, delete: 4 } as const

export function encodeFile(number: number, path: string, file: HostFile): Uint8Array {
  const pathBytes = new TextEncoder().encode(path)
  const { frame, body, view } = begin(TYPE.file, FILE_HEAD_BYTES + pathBytes.length)
  view.setUint32(1, number, true)
  view.setFloat64(5, file.size, true)
  view.setFloat64(13, file.mtimeMs, true)
  view.setFloat64(21, file.inode, true)
  body.set(pathBytes, FILE_HEAD_BYTES)
  return finish(frame, body)
}

export function encodeReferences(
  number: number,
  previous: number,
  references: readonly Reference[]
): Uint8Array {
  const length = REFERENCES_HEAD_BYTES + references.length * REFERENCE_BYTES
  const { frame, body, view } = begin(TYPE.references, length)
  view.setUint32(1, number, true)
  view.setFloat64(5, previous, true)
  let at = REFERENCES_HEAD_BYTES
  for (const { id, offset, length } of references) {
    packId(id, body, at)
    view.setUint32(at + 33, offset % 2 ** 32, true)
    view.setUint16(at + 37, Math.floor(offset / 2 ** 32), true)
    view.setUint16(at + 39, length & 0xffff, true)
    view.setUint8(at + 41, length >>> 16)
    at += REFERENCE_BYTES
  }
  return finish(frame, body)
}

export function encodeForget(number: number): Uint8Array {
  const { frame, body, view } = begin(TYPE.forget, FORGET_BYTES)
  view.setUint32(1, number, true)
  return finish(frame, body)
}

export function encodeDelete(ids: readonly Uint8Array[]): Uint8Array {
  const { frame, body } = begin(TYPE.delete, 1 + ids.length * DELETED_BYTES)
  for (const [index, id] of ids.entries()) packId(id, body, 1 + index * DELETED_BYTES)
  return finish(frame, body)
}

/** How long the body after a frame's head is, or `undefined` when that is no head of ours. */
export function bodyLengthOf(head: Uint8Array): number | undefined {
  const length = viewOf(head).getUint32(0, true)
  return length > 0 && length <= BODY_BYTES_MAX ? length : undefined
}

/** Reads one whole frame. `undefined` when it is damaged or says what cannot be. */
export function decodeFrame(frame: Uint8Array): HostFileRecord | undefined {
  const body = frame.subarray(FRAME_HEAD_BYTES)
  if (viewOf(frame).getUint32(4, true) !== crc32(body)) return undefined
  switch (body[0]) {
    case TYPE.file:
      return decodeFile(body)
    case TYPE.references:
      return decodeReferences(body)
    case TYPE.forget:
      if (body.length !== FORGET_BYTES) return undefined
      return { type: 'forget', number: viewOf(body).getUint32(1, true) }
    case TYPE.delete:
      if ((body.length - 1) % DELETED_BYTES !== 0) return undefined
      return { type: 'delete', ids: body.subarray(1) }
    default:
      return undefined
  }
}

export function countReferences(references: Uint8Array): number {
  return references.length / REFERENCE_BYTES
}

/** `id` is the same bytes each time, with other content: copy what is to be kept. */
export function forEachReference(
  references: Uint8Array,
  visit: (id: Uint8Array, offset: number, length: number) => void
): void {
  const view = viewOf(references)
  const id = new Uint8Array(BLOCK_ID_BYTES)
  for (let at = 0; at < references.length; at += REFERENCE_BYTES) {
    unpackId(references, at, id)
    const offset = view.getUint32(at + 33, true) + view.getUint16(at + 37, true) * 2 ** 32
    const length = view.getUint16(at + 39, true) + view.getUint8(at + 41) * 2 ** 16
    visit(id, offset, length)
  }
}

/** `id` is the same bytes each time, with other content: copy what is to be kept. */
export function forEachId(ids: Uint8Array, visit: (id: Uint8Array) => void): void {
  const id = new Uint8Array(BLOCK_ID_BYTES)
  for (let at = 0; at < ids.length; at += DELETED_BYTES) {
    unpackId(ids, at, id)
    visit(id)
  }
}

function decodeFile(body: Uint8Array): FileRecord | undefined {
  if (body.length <= FILE_HEAD_BYTES) return undefined
  const view = viewOf(body)
  const path = new TextDecoder().decode(body.subarray(FILE_HEAD_BYTES))
  const number = view.getUint32(1, true)
  if (number === 0 || !isAbsolute(path) || path.includes('\0')) return undefined
  const size = view.getFloat64(5, true)
  const mtimeMs = view.getFloat64(13, true)
  const inode = view.getFloat64(21, true)
  return { type: 'file', number, path, size, mtimeMs, inode }
}

function decodeReferences(body: Uint8Array): ReferencesRecord | undefined {
  const references = body.subarray(REFERENCES_HEAD_BYTES)
  if (body.length < REFERENCES_HEAD_BYTES || references.length % REFERENCE_BYTES !== 0) {
    return undefined
  }
  let possible = true
  forEachReference(references, (_id, offset, length) => {
    if (offset > OFFSET_MAX || length > BLOCK_BYTES_MAX) possible = false
  })
  if (!possible) return undefined
  const view = viewOf(body)
  const number = view.getUint32(1, true)
  return { type: 'references', number, previous: view.getFloat64(5, true), references }
}

/** Of an id's 36 bytes only the codec and the digest say anything. */
function packId(id: Uint8Array, to: Uint8Array, at: number): void {
  to[at] = id[1]!
  for (let index = 0; index < 32; index++) to[at + 1 + index] = id[4 + index]!
}

function unpackId(from: Uint8Array, at: number, id: Uint8Array): void {
  id[0] = 1
  id[1] = from[at]!
  id[2] = 0x12
  id[3] = 32
  for (let index = 0; index < 32; index++) id[4 + index] = from[at + 1 + index]!
}

function begin(
  type: number,
  length: number
): { frame: Uint8Array; body: Uint8Array; view: DataView } {
  const frame = new Uint8Array(FRAME_HEAD_BYTES + length)
  const body = frame.subarray(FRAME_HEAD_BYTES)
  body[0] = type
  return { frame, body, view: viewOf(body) }
}

function finish(frame: Uint8Array, body: Uint8Array): Uint8Array {
  const head = viewOf(frame)
  head.setUint32(0, body.length, true)
  head.setUint32(4, crc32(body), true)
  return frame
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
