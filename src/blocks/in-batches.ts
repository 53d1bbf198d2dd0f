/** Gathers the pieces of a stream, in order, into batches of at least so many bytes; the last may have fewer. */
export async function* inBatches(
  pieces: AsyncIterable<Uint8Array>,
  bytesMin: number
): AsyncGenerator<Uint8Array[]> {
  let batch: Uint8Array[] = []
  let bytes = 0
  for await (const piece of pieces) {
    batch.push(piece)
    bytes += piece.length
    if (bytes < bytesMin) continue
    yield batch
    batch = []
    bytes = 0
  }
  if (batch.length > 0) yield batch
}
