/**
 * What hashing threads run. Threads are given the text of these functions, and not a file to load:
 * a file of ours has another name in the source than in the package, is not there any more in an
 * app that was bundled, and would take a thread of the source 25 ms and 10 MiB more to load. So
 * nothing outside of each function is reachable in it, and Node's modules have to be asked for.
 */

/** A range of a file, to be read to a place in the memory that all threads share. */
export interface HashTask {
  readonly task: number
  readonly descriptor: number
  readonly position: number
  readonly length: number
  /** Where in the memory. */
  readonly at: number
  readonly blockBytes: number
}

export interface HashedBlocks {
  /** One after the other; empty when all bytes are zero. */
  readonly digests: Uint8Array
  readonly isZeros: boolean
}

export interface HashAnswer extends HashedBlocks {
  readonly task: number
  /** Bytes read: fewer than asked for where the file ends. */
  readonly length: number
  /** Why it could not be read. */
  readonly error?: Pick<NodeJS.ErrnoException, 'message' | 'code' | 'syscall'>
}

/** Makes what hashes bytes block by block, the last one shorter. */
export function createBlocksHasher(): (bytes: Uint8Array, blockBytes: number) => HashedBlocks {
  const { hash } = process.getBuiltinModule('node:crypto')
  const digestBytes = 32
  const none = new Uint8Array(0)
  const zeros = Buffer.alloc(64 * 1024)
  const isZeros = (bytes: Uint8Array): boolean => {
    // Nearly always the first byte says that they are not.
    for (let at = 0; at < bytes.length && bytes[at] === 0; at += zeros.length) {
      const end = Math.min(at + zeros.length, bytes.length)
      if (zeros.compare(bytes, at, end, 0, end - at) !== 0) return false
      if (end === bytes.length) return true
    }
    return bytes.length === 0
  }
  return (bytes, blockBytes) => {
    if (isZeros(bytes)) return { digests: none, isZeros: true }
    const count = Math.ceil(bytes.length / blockBytes)
    const digests = new Uint8Array(count * digestBytes)
    for (let block = 0; block < count; block++) {
      const piece = bytes.subarray(block * blockBytes, (block + 1) * blockBytes)
      digests.set(hash('sha256', piece, 'buffer'), block * digestBytes)
    }
    return { digests, isZeros: false }
  }
}

/** Answers tasks in a thread that was given the memory they are about. */
export function answerHashTasks(hashBlocks: ReturnType<typeof createBlocksHasher>): void {
  const { readSync } = process.getBuiltinModule('node:fs')
  const { parentPort, workerData } = process.getBuiltinModule('node:worker_threads')
  const memory = workerData as SharedArrayBuffer
  const readAll = ({ descriptor, position, length, at }: HashTask): Uint8Array => {
    const bytes = new Uint8Array(memory, at, length)
    let filled = 0
    while (filled < length) {
      const count = readSync(descriptor, bytes, filled, length - filled, position + filled)
      if (count === 0) break
      filled += count
    }
    return bytes.subarray(0, filled)
  }
  parentPort!.on('message', (asked: HashTask) => {
    const { task, blockBytes } = asked
    try {
      const bytes = readAll(asked)
      parentPort!.postMessage({ task, length: bytes.length, ...hashBlocks(bytes, blockBytes) })
    } catch (error) {
      const { message, code, syscall } = error as NodeJS.ErrnoException
      const digests = new Uint8Array(0)
      const answer = { task, length: 0, digests, isZeros: false, error: { message, code, syscall } }
      parentPort!.postMessage(answer)
    }
  })
}

/** The program of a hashing thread. */
export const HASHING_PROGRAM: string = `(${answerHashTasks.toString()})((${createBlocksHasher.toString()})())`
