/**
 * Opening a log: from whatever a clean close, a crash or a damaged disk left of its files.
 *
 * Segments are applied in the order of the log, each from its index where that is good and by a
 * scan of what the index does not cover; so after a clean close no block is read at all, and after
 * a crash only what was written since the last segment was sealed.
 */
import { join } from 'node:path'
import { BlockLog } from './block-log.ts'
import { TEMPORARY_SUFFIX, writeFileDurably } from './durable-file.ts'
import type { FileSystem } from './file-system.ts'
import { findSegments } from './find-segments.ts'
import { readWhole } from './read-whole.ts'
import type { Kind } from './segment-format.ts'
import { isBlockKind, isRemovedKind } from './segment-format.ts'
import type { SegmentIndex } from './segment-index.ts'
import { decodeSegmentIndex } from './segment-index.ts'
import { scanSegment } from './segment-scan.ts'
import type { Segment } from './segment.ts'
import { toWarrenError } from './system-error.ts'
import { BLOCK_ID_BYTES } from '../block-id.ts'

const SEGMENTS = 'segments'
/** Segments read ahead while one is applied: more only holds more memory, 6 MiB each. */
const LOADED_AHEAD = 1

/** The newest segment of the log that comes back has its index, ready to be appended to. */
export async function openLog(directory: string, fileSystem: FileSystem): Promise<BlockLog> {
  const log = new BlockLog(join(directory, SEGMENTS), fileSystem)
  try {
    await fileSystem.makeDirectory(log.directory)
    await fileSystem.syncDirectory(directory)
    await removeTemporaryFiles(log)
    const segments = await findSegments(log)
    await applyAll(log, segments)
    return log
  } catch (cause) {
    await log.files.closeAll().catch(() => {})
    throw toWarrenError(cause, { syscall: 'open', path: log.directory })
  }
}

async function removeTemporaryFiles({ directory, fileSystem }: BlockLog): Promise<void> {
  for (const name of await fileSystem.names(directory)) {
    if (name.endsWith(TEMPORARY_SUFFIX)) await fileSystem.remove(join(directory, name))
  }
}

interface Loaded {
  readonly segment: Segment
  readonly index: SegmentIndex
  /** True when the index file does not say all this. */
  readonly isNews: boolean
}

async function applyAll(log: BlockLog, segments: readonly Segment[]): Promise<void> {
  const loading: Promise<Loaded>[] = []
  let begun = 0
  for (const [position, segment] of segments.entries()) {
    while (begun < Math.min(segments.length, position + 1 + LOADED_AHEAD)) {
      const load = loadSegment(log, segments[begun++]!)
      // Whoever awaits it gets the error; until then it is not unhandled.
      load.catch(() => {})
      loading.push(load)
    }
    const loaded = await loading.shift()!
    applyIndex(log, loaded)
    const isNewest = position === segments.length - 1
    if (isNewest) segment.index = loaded.index
    if (isNewest && loaded.isNews) log.dirty.add(segment)
    if (!isNewest) await sealLoaded(log, loaded)
  }
}

function loadSegment(log: BlockLog, segment: Segment): Promise<Loaded> {
  return log.files.use(segment, async file => {
    const size = await file.size()
    const bytes = await readWhole(log.fileSystem, segment.indexPath)
    const known = bytes && decodeSegmentIndex(bytes, segment.header, size)
    if (known?.end === size) return { segment, index: known, isNews: false }
    const index = await scanSegment(file, segment.header, known)
    if (index.end < size) await file.truncate(index.end)
    return { segment, index, isNews: true }
  })
}

function applyIndex(log: BlockLog, { segment, index, isNews }: Loaded): void {
  segment.size = index.end
  if (!isNews) segment.indexedSize = index.end
  log.addSegment(segment)
  const id = new Uint8Array(BLOCK_ID_BYTES)
  for (let entry = 0; entry < index.count; entry++) {
    const kind = index.kindAt(entry) as Kind
    const length = index.lengthAt(entry)
    if (isBlockKind(kind)) {
      index.fillIdAt(entry, id)
      log.setPlace(id, { container: segment.number, offset: index.offsetAt(entry), length })
    } else if (isRemovedKind(kind)) {
      index.fillIdAt(entry, id)
      log.removePlace(id)
      segment.countRemoval(length)
    }
  }
}

async function sealLoaded(log: BlockLog, { segment, index, isNews }: Loaded): Promise<void> {
  if (isNews) {
    await log.files.use(segment, file => file.sync())
    const bytes = index.encode(segment.header)
    // Without it, on a full disk say, the segment is scanned again the next time.
    await writeFileDurably(segment.indexPath, bytes, log.fileSystem).catch(() => {})
  }
  segment.isSealed = true
}
