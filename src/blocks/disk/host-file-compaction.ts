/** Writes the log of host files anew, without the records that no longer say anything. */
import { rename } from 'node:fs/promises'
import { TEMPORARY_SUFFIX } from './durable-file.ts'
import type { HostFileIndex } from './host-file-index.ts'
import { HostFileLog } from './host-file-log.ts'
import type { Reference } from './host-file-records.ts'
import {
  countReferences,
  encodeFile,
  encodeReferences,
  forEachReference,
  RECORD_ITEMS_MAX
} from './host-file-records.ts'
import { toWarrenError } from './system-error.ts'
import { WarrenError } from '../../errors.ts'

export interface CompactedLog {
  readonly log: HostFileLog
  /** Where each file is in it, for `moveTo` of the index. */
  readonly positions: readonly FilePosition[]
}

interface FilePosition {
  readonly number: number
  readonly begin: number
  readonly end: number
}

/**
 * A new log with what the index holds, under the old one's name and forced to disk, but not the name
 * itself. A crash at any instant leaves one log or the other. On failure nothing changed.
 */
export async function compactLog(index: HostFileIndex, old: HostFileLog): Promise<CompactedLog> {
  const temporaryPath = old.path + TEMPORARY_SUFFIX
  const log = await HostFileLog.create(temporaryPath, old.path)
  try {
    const writer = new LogWriter(log)
    const positions: FilePosition[] = []
    for (const number of index.filesByNumber()) {
      positions.push(await copyFile({ index, number, from: old, to: writer }))
    }
    await writer.flush()
    await log.sync()
    await rename(temporaryPath, old.path)
    return { log, positions }
  } catch (cause) {
    await log.close()
    throw toWarrenError(cause, { syscall: 'rename', path: old.path })
  }
}

async function copyFile({
  index,
  number,
  from,
  to
}: {
  readonly index: HostFileIndex
  readonly number: number
  readonly from: HostFileLog
  readonly to: LogWriter
}): Promise<FilePosition> {
  const file = await from.read(index.beginOf(number))
  if (file?.type !== 'file') throw new WarrenError('EIO', { message: 'damaged', path: from.path })
  const begin = await to.append(encodeFile(number, file.path, file))
  let end = begin
  let waiting: Reference[] = []
  const flush = async (): Promise<void> => {
    if (waiting.length > 0) end = await to.append(encodeReferences(number, end, waiting))
    waiting = []
  }
  for await (const { references } of index.recordsOf(number, from)) {
    if (waiting.length + countReferences(references) > RECORD_ITEMS_MAX) await flush()
    forEachReference(references, (id, offset, length) => {
      if (index.references.hasIn(id, number)) waiting.push({ id: id.slice(), offset, length })
    })
  }
  await flush()
  return { number, begin, end }
}

/** What a write is worth gathering for. */
const GATHERED_BYTES = 256 * 1024

/** Appends many small frames in few writes. */
class LogWriter {
  readonly #log: HostFileLog
  #frames: Uint8Array[] = []
  #bytes = 0

  constructor(log: HostFileLog) {
    this.#log = log
  }

  async append(frame: Uint8Array): Promise<number> {
    const position = this.#log.length + this.#bytes
    this.#frames.push(frame)
    this.#bytes += frame.length
    if (this.#bytes >= GATHERED_BYTES) await this.flush()
    return position
  }

  async flush(): Promise<void> {
    if (this.#bytes > 0) await this.#log.append(this.#frames)
    this.#frames = []
    this.#bytes = 0
  }
}
