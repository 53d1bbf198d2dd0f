/** Finding the segments of a log in its directory, and clearing away what is none. */
import { join } from 'node:path'
import type { BlockLog } from './block-log.ts'
import type { SegmentHeader } from './segment-format.ts'
import { SEGMENT_HEADER_BYTES, decodeSegmentHeader, encodeSegmentHeader } from './segment-format.ts'
import { decodeIndexedHeader } from './segment-index.ts'
import type { Segment } from './segment.ts'
import { indexPathOf, isSegmentName, segmentName } from './segment.ts'
import { readWhole } from './read-whole.ts'

/** Appended to what has the name of a segment and cannot be read, for a person to look at. */
const SET_ASIDE_SUFFIX = '.damaged'
/** A file system that lost its power leaves whole pages of zeros where it had written nothing yet. */
const PAGE_BYTES = 4096
const HEADERS_AT_ONCE = 16

/** In the order of the log, without those that compaction has replaced. */
export async function findSegments(log: BlockLog): Promise<Segment[]> {
  const names = (await log.fileSystem.names(log.directory)).filter(isSegmentName)
  const headers: SegmentHeader[] = []
  for (let from = 0; from < names.length; from += HEADERS_AT_ONCE) {
    const some = names.slice(from, from + HEADERS_AT_ONCE)
    const read = await Promise.all(some.map(name => readHeader(log, name)))
    headers.push(...read.filter(header => header !== undefined))
  }
  for (const header of headers) log.skipNumbers(header.number)
  const current = withoutOutdated(headers)
  const isCurrent = new Set(current)
  for (const header of headers) {
    if (!isCurrent.has(header)) await removeSegmentFiles(log, header.number)
  }
  return current.map(header => log.createSegment(header))
}

/**
 * Drops what lies within the range of a newer segment. Compaction replaces neighbours by one that
 * spans them, so ranges are disjoint or nested and the newest of a nest begins first.
 */
function withoutOutdated(headers: readonly SegmentHeader[]): SegmentHeader[] {
  const inOrder = [...headers].sort((a, b) => a.first - b.first || b.number - a.number)
  const kept: SegmentHeader[] = []
  for (const header of inOrder) {
    const newer = kept.at(-1)
    const isOutdated =
      newer !== undefined && header.last <= newer.last && header.number < newer.number
    if (!isOutdated) kept.push(header)
  }
  return kept
}

async function removeSegmentFiles(log: BlockLog, number: number): Promise<void> {
  const path = join(log.directory, segmentName(number))
  await log.fileSystem.remove(path)
  await log.fileSystem.remove(indexPathOf(path)).catch(() => {})
}

async function readHeader(log: BlockLog, name: string): Promise<SegmentHeader | undefined> {
  const path = join(log.directory, name)
  const number = Number.parseInt(name, 10)
  const page = new Uint8Array(PAGE_BYTES)
  const file = await log.fileSystem.open(path, 'write')
  try {
    const length = await file.read(page, 0)
    const header = decodeSegmentHeader(page.subarray(0, length))
    if (header?.number === number) return header
    const indexed = await readHeaderFromIndex(log, path, number)
    if (indexed !== undefined) {
      await file.write([encodeSegmentHeader(indexed)], 0)
      return indexed
    }
    log.skipNumbers(number)
    const isUnwritten = length <= SEGMENT_HEADER_BYTES || page.every(byte => byte === 0)
    if (isUnwritten) await removeSegmentFiles(log, number)
    else await log.fileSystem.rename(path, path + SET_ASIDE_SUFFIX)
    return undefined
  } finally {
    await file.close()
  }
}

/** A damaged header costs nothing while the index repeats it. */
async function readHeaderFromIndex(
  log: BlockLog,
  path: string,
  number: number
): Promise<SegmentHeader | undefined> {
  const bytes = await readWhole(log.fileSystem, indexPathOf(path))
  const header = bytes && decodeIndexedHeader(bytes)
  return header?.number === number ? header : undefined
}
