/**
 * Fills the free memory with page cache before a workload.
 *
 * On a virtual machine that hands free memory back to its host, the first touch of a page costs
 * about 2 s a GiB: a plain write of 1 GiB falls from 5,000 to 500 MiB/s, which drowns everything
 * else. Pages that hold the cache of a file are not handed back, and recycling one is cheap. So a
 * sparse file is read until little memory is free, and kept until the end, when the directory of
 * the benchmark goes.
 */
import { closeSync, openSync, readFileSync, readSync, truncateSync, writeFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { join } from 'node:path'

const MIB = 1024 * 1024

/** Linux keeps some memory free whatever is read; below this there is nothing to gain. */
const FREE_MIB_MIN = 512

const BUFFER_BYTES = 4 * MIB

/** Asking the kernel after every read would cost more than the read. */
const READS_PER_LOOK = 64

export class MemoryWarmer {
  readonly #path: string
  #made = false

  constructor(directory: string) {
    this.#path = join(directory, 'sparse.bin')
  }

  /** Returns at once where there is little free memory, and where it is not known. */
  warm(): void {
    const free = freeMiB()
    if (free === undefined || free < FREE_MIB_MIN) return
    if (!this.#made) {
      // As large as the memory, since what is free now is not what is free before the next workload.
      writeFileSync(this.#path, '')
      truncateSync(this.#path, totalmem())
      this.#made = true
    }
    readUntilFull(this.#path)
  }
}

function readUntilFull(path: string): void {
  const buffer = new Uint8Array(BUFFER_BYTES)
  const file = openSync(path, 'r')
  try {
    for (let reads = 1; readSync(file, buffer) > 0; reads++) {
      if (reads % READS_PER_LOOK === 0 && (freeMiB() ?? 0) < FREE_MIB_MIN) return
    }
  } finally {
    closeSync(file)
  }
}

function freeMiB(): number | undefined {
  if (process.platform !== 'linux') return undefined
  const kib = /^MemFree:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]
  return kib === undefined ? undefined : Math.floor(Number(kib) / 1024)
}
