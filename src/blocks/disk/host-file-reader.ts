/**
 * Reads blocks out of host files, and notices files that are no longer what they were. The hash
 * decides what is handed out; the file's size, time and inode only decide whether to say that it
 * changed.
 */
import { constants, open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { isBlock } from '../block.ts'
import type { BlockId } from '../block-id.ts'
import { blockIdToBytes } from '../block-id.ts'
import type { Place } from './digest-table.ts'
import type { HostFileHandlesOptions, OpenHostFile } from './host-file-handles.ts'
import { HostFileHandles } from './host-file-handles.ts'
import type { HostFileIndex } from './host-file-index.ts'
import type { HostFileLog } from './host-file-log.ts'
import { readFully } from './host-file-log.ts'
import type { FileRecord } from './host-file-records.ts'
import type { HostFile } from './host-file-state.ts'
import { hostFileOf, isSameState } from './host-file-state.ts'
import { toWarrenError } from './system-error.ts'

/** How many files with the same block are tried before it is called missing. */
export const PLACES_TRIED_MAX = 8

/** How often a read begins anew because its file has been indexed anew, or the log moved, meanwhile. */
const ATTEMPTS_MAX = 3

/**
 * What opening a file says when it is not there for us any more: gone, under a path that is no path
 * now, a link (which we do not follow: it may lead out of what is shared), locked away.
 */
const GONE = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EMLINK', 'EISDIR', 'ENXIO', 'EACCES', 'EPERM'])

/** Without waiting, because the file may have become a pipe. Both are absent, and 0, on Windows. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

type Found = Uint8Array | 'indexed anew' | undefined

export interface HostFileReaderComponents {
  readonly index: HostFileIndex
  /** The log of the moment. */
  readonly log: () => HostFileLog
  /** Called once when a file is found to have changed. */
  readonly onChanged: (path: string) => void
}

export class HostFileReader {
  readonly #components: HostFileReaderComponents
  readonly #handles: HostFileHandles

  constructor(components: HostFileReaderComponents, options: HostFileHandlesOptions) {
    this.#components = components
    this.#handles = new HostFileHandles(number => this.#open(number), options)
  }

  async get(id: BlockId, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const found = await this.#tryPlaces(id, signal)
      if (found !== 'indexed anew') return found
    }
    return undefined
  }

  /** Makes the next read look at the file anew. */
  drop(number: number): void {
    this.#handles.drop(number)
  }

  /** Waits for reads under way. */
  async close(): Promise<void> {
    await this.#handles.close()
  }

  async #tryPlaces(id: BlockId, signal?: AbortSignal): Promise<Found> {
    const { index } = this.#components
    const places = index.references.placesOf(blockIdToBytes(id), PLACES_TRIED_MAX)
    const unchangedFirst = places.sort(
      (a, b) => Number(index.isChanged(a.container)) - Number(index.isChanged(b.container))
    )
    for (const place of unchangedFirst) {
      const found = await this.#read(id, place)
      signal?.throwIfAborted()
      if (found !== undefined) return found
    }
    return undefined
  }

  #read(id: BlockId, place: Place): Promise<Found> {
    const { index, onChanged } = this.#components
    const number = place.container
    return this.#handles.use(number, async opened => {
      if (opened === undefined) return undefined
      if (opened.begin === index.beginOf(number)) {
        const bytes = await readRange(opened, place)
        if (bytes !== undefined && (await isBlock({ id, bytes }))) return bytes
      }
      this.#handles.drop(number)
      if (opened.begin !== index.beginOf(number)) return 'indexed anew'
      if (index.markChanged(number)) onChanged(opened.path)
      return undefined
    })
  }

  async #open(number: number): Promise<OpenHostFile | undefined> {
    const { index, log, onChanged } = this.#components
    const begin = index.beginOf(number)
    const record = begin === 0 ? undefined : await log().read(begin)
    if (record?.type !== 'file') return undefined
    const file = await openUnlessGone(record)
    const isSame = file !== undefined && isSameState(file.state, record)
    if (!isSame && index.beginOf(number) === begin && index.markChanged(number)) {
      onChanged(record.path)
    }
    return file && { path: record.path, file: file.file, begin }
  }
}

async function openUnlessGone({
  path
}: FileRecord): Promise<{ file: FileHandle; state: HostFile } | undefined> {
  let file: FileHandle | undefined
  try {
    file = await open(path, OPEN_FLAGS)
    const stats = await file.stat()
    if (stats.isFile()) return { file, state: hostFileOf(stats) }
    await file.close()
    return undefined
  } catch (cause) {
    await file?.close()
    if (cause instanceof Error && 'code' in cause && GONE.has(String(cause.code))) return undefined
    throw toWarrenError(cause, { syscall: 'open', path })
  }
}

/** `undefined` when the file ends before the range does. */
async function readRange(
  { file, path }: OpenHostFile,
  { offset, length }: Place
): Promise<Uint8Array | undefined> {
  // Not zeroed first, since every byte that is handed out has been read; not pooled, since a block
  // that is kept must not keep others alive.
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
  try {
    return (await readFully(file, bytes, offset)) === length ? bytes : undefined
  } catch (cause) {
    throw toWarrenError(cause, { syscall: 'read', path })
  }
}
