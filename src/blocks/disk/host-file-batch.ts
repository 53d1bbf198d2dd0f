/** References as they are put, made ready for the log. */
import { isAbsolute } from 'node:path'
import { BLOCK_BYTES_MAX } from '../block.ts'
import type { BlockId } from '../block-id.ts'
import { blockIdToBytes } from '../block-id.ts'
import type { Reference } from './host-file-records.ts'
import {
  encodeReferences,
  OFFSET_MAX,
  PATH_BYTES_MAX,
  RECORD_ITEMS_MAX
} from './host-file-records.ts'
import type { HostFile } from './host-file-state.ts'
import { isSameState } from './host-file-state.ts'

/** A range of a host file that is a block. */
export interface HostFileReference {
  readonly id: BlockId
  /** Absolute. */
  readonly path: string
  readonly offset: number
  readonly length: number
  readonly file: HostFile
}

/** Frames that will stand in the log one after the other, and where. */
export class FrameBatch {
  readonly frames: Uint8Array[] = []
  #position: number

  constructor(position: number) {
    this.#position = position
  }

  add(frame: Uint8Array): number {
    const at = this.#position
    this.frames.push(frame)
    this.#position += frame.length
    return at
  }

  addReferences({
    number,
    previous,
    references
  }: {
    readonly number: number
    readonly previous: number
    readonly references: readonly Reference[]
  }): void {
    let end = previous
    for (let from = 0; from < references.length; from += RECORD_ITEMS_MAX) {
      const items = references.slice(from, from + RECORD_ITEMS_MAX)
      end = this.add(encodeReferences(number, end, items))
    }
  }
}

/** The references of one file, each block once. */
export interface FileGroup {
  readonly file: HostFile
  readonly byId: Map<BlockId, Reference>
}

/** Throws `TypeError` for what cannot be a reference. */
export function groupByPath(references: readonly HostFileReference[]): Map<string, FileGroup> {
  const byPath = new Map<string, FileGroup>()
  for (const reference of references) {
    const { id, path, offset, length, file } = reference
    let group = byPath.get(path)
    if (group === undefined) {
      checkFile(path, file)
      group = { file, byId: new Map() }
      byPath.set(path, group)
    } else if (!isSameState(group.file, file)) {
      throw new TypeError(`references of '${path}' in two states`)
    }
    checkRange(offset, length)
    if (!group.byId.has(id)) group.byId.set(id, { id: blockIdToBytes(id), offset, length })
  }
  return byPath
}

/** Adds all groups to `to`, or none and returns `false` when a file is in both in different states. */
export function mergeGroups(
  to: Map<string, FileGroup>,
  from: ReadonlyMap<string, FileGroup>
): boolean {
  for (const [path, { file }] of from) {
    const other = to.get(path)
    if (other !== undefined && !isSameState(other.file, file)) return false
  }
  for (const [path, group] of from) {
    const other = to.get(path)
    if (other === undefined) to.set(path, group)
    else for (const [id, reference] of group.byId) other.byId.set(id, reference)
  }
  return true
}

function checkFile(path: string, { size, mtimeMs, inode }: HostFile): void {
  const usable = isAbsolute(path) && !path.includes('\0') && path.isWellFormed()
  if (!usable || new TextEncoder().encode(path).length > PATH_BYTES_MAX) {
    throw new TypeError(`'${path.slice(0, 200)}' is not an absolute path of a host file`)
  }
  if (![size, mtimeMs, inode].every(Number.isFinite)) {
    throw new TypeError(`the state of '${path}' is not known`)
  }
}

function checkRange(offset: number, length: number): void {
  const possible =
    Number.isInteger(offset) &&
    Number.isInteger(length) &&
    offset >= 0 &&
    offset <= OFFSET_MAX &&
    length >= 0 &&
    length <= BLOCK_BYTES_MAX
  if (!possible) throw new TypeError(`no block is ${length} bytes at ${offset} of a file`)
}
