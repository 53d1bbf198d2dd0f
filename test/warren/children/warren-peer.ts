/** A warren in a process of its own, told what to do by a test. Arguments: the options as JSON. */
import { createWarren } from '../../../src/index.ts'
import type { Warren, WarrenOptions } from '../../../src/index.ts'
import { answerCalls } from '../../fixtures/answer-calls.ts'
import { LOOPBACK } from '../fixtures.ts'
import { makeChange } from '../tree-model.ts'
import type { TreeChange } from '../tree-model.ts'

const PIECE_BYTES = 128 * 1024

function* distinctPieces(mebibytes: number): Generator<Uint8Array> {
  for (let number = 0; number < mebibytes * 8; number++) {
    const piece = new Uint8Array(PIECE_BYTES)
    new DataView(piece.buffer).setUint32(0, number)
    yield piece
  }
}

function numberIn(piece: Uint8Array): number {
  return new DataView(piece.buffer, piece.byteOffset).getUint32(0)
}

const options = JSON.parse(process.argv[2] ?? '{}') as WarrenOptions
const warren: Warren = await createWarren({ ...LOOPBACK, ...options })

answerCalls({
  identity: () => ({ id: warren.id, volume: warren.volume, addresses: warren.addresses() }),
  /** Any verb of the warren's with values for arguments. */
  do: (verb: 'share' | 'mount' | 'import' | 'export' | 'sync' | 'collect', ...args: never[]) =>
    (warren[verb] as (...args: never[]) => Promise<unknown>)(...args),
  /** Any verb of its file system. */
  fs: (verb: 'readFile' | 'writeFile', ...args: never[]) =>
    (warren.fs[verb] as (...args: never[]) => Promise<unknown>)(...args),
  /** Any verb of its replication. */
  replication: async (verb: 'durable' | 'status' | 'holders', ...args: never[]) =>
    await (warren.replication[verb] as (...args: never[]) => unknown)(...args),
  change: (change: TreeChange) => makeChange(warren.fs, change),
  /** How long a verb took and what it failed with. */
  attempt: async (verb: 'readFile', ...args: never[]) => {
    const began = performance.now()
    const failure = await (warren.fs[verb] as (...args: never[]) => Promise<unknown>)(...args).then(
      () => undefined,
      (error: Error & { readonly code?: string }) => ({ code: error.code, message: error.message })
    )
    return { failure, milliseconds: performance.now() - began }
  },
  /** A file of distinct blocks, never whole in memory. */
  writeLarge: async (path: string, mebibytes: number) => {
    await warren.fs.writeFile(path, distinctPieces(mebibytes))
    await warren.sync()
  },
  /** Reads a file to its end; resolves to its length and whether it is what `writeLarge` wrote. */
  readLarge: async (path: string) => {
    let [bytes, isRight] = [0, true]
    for await (const piece of warren.fs.createReadStream(path)) {
      const at = bytes % PIECE_BYTES
      if (at === 0) isRight &&= numberIn(piece) === bytes / PIECE_BYTES
      bytes += piece.length
    }
    return { bytes, isRight }
  },
  listMany: async (directory: string) => {
    let [files, bytes] = [0, 0]
    for await (const entry of await warren.fs.opendir(directory)) {
      files++
      bytes += (await warren.fs.stat(`${directory}/${entry.name}`)).size
    }
    return { files, bytes, names: (await warren.fs.readdir(directory)).length }
  },
  /** What this process occupies now, after a collection of garbage where that can be had. */
  rssMiB: () => {
    ;(globalThis as { gc?: () => void }).gc?.()
    return process.memoryUsage().rss / 2 ** 20
  },
  peakRssMiB: () => process.resourceUsage().maxRSS / 1024,
  stop: () => warren.stop()
})
