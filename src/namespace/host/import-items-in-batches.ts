/** Works on what an import has found, batch after batch: one is prepared while the last is committed. */
import { ImportBatch } from './import-batch.ts'
import type { ImportContext } from './import-context.ts'
import type { ImportItem } from './import-items.ts'

/** A transaction of this many names keeps the thread for about 10 ms (measured) and shares its tree nodes well. */
const BATCH_NAMES = 256

/** Contents of small files, and extents of large ones, held for one transaction. */
const BATCH_BYTES = 1024 * 1024

/** When it throws, nothing of it is under way any more. */
export async function importItems(
  context: ImportContext,
  found: AsyncIterable<readonly ImportItem[]> | Iterable<readonly ImportItem[]>
): Promise<void> {
  let last = Promise.resolve()
  const open = new Set<ImportBatch>()
  try {
    for await (const batch of batches(context, found)) {
      open.add(batch)
      const prepared = batch.prepare()
      prepared.catch(() => {})
      await last
      last = prepared.then(async () => {
        await batch.commit()
        open.delete(batch)
      })
      // It is waited for when the next batch is there; until then a failure is not unhandled.
      last.catch(() => {})
    }
    await last
  } finally {
    await last.catch(() => {})
    for (const batch of open) await batch.discard()
  }
}

async function* batches(
  context: ImportContext,
  found: AsyncIterable<readonly ImportItem[]> | Iterable<readonly ImportItem[]>
): AsyncGenerator<ImportBatch> {
  let batch = new ImportBatch(context)
  for await (const items of found) {
    for (const item of items) {
      batch.add(item)
      if (batch.names < BATCH_NAMES && batch.bytes < BATCH_BYTES) continue
      yield batch
      batch = new ImportBatch(context)
    }
  }
  if (batch.names > 0) yield batch
}
