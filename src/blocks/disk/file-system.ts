/**
 * The few things the segments ask of a disk, so that tests can hand in one that fills up, fails or
 * loses power. Errors are those of the operating system; whoever reports them translates.
 */
import * as fs from 'node:fs'
import { mkdir, open, readdir, rename, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'

export interface DiskFile {
  size(): Promise<number>
  /** Resolves with the bytes read: fewer than asked only where the file ends. */
  read(target: Uint8Array, position: number): Promise<number>
  /** The same on the calling thread, which waits. */
  readHere(target: Uint8Array, position: number): number
  /** Writes all of the buffers, one after the other. Fails with any part of them written. */
  write(buffers: readonly Uint8Array[], position: number): Promise<void>
  truncate(size: number): Promise<void>
  /** Resolves when everything written before survives power loss. */
  sync(): Promise<void>
  close(): Promise<void>
}

export interface FileSystem {
  /** `create` makes the file empty, whatever was there. */
  open(path: string, mode: 'read' | 'write' | 'create'): Promise<DiskFile>
  makeDirectory(path: string): Promise<void>
  names(directory: string): Promise<string[]>
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  /** Forces names made, changed or removed in a directory to disk. */
  syncDirectory(path: string): Promise<void>
}

const FLAGS = { read: 'r', write: 'r+', create: 'w+' } as const

export const nodeFileSystem: FileSystem = {
  open: async (path, mode) => new NodeFile(await open(path, FLAGS[mode])),
  makeDirectory: async path => void (await mkdir(path, { recursive: true })),
  names: directory => readdir(directory),
  rename: (from, to) => rename(from, to),
  remove: path => unlink(path),
  syncDirectory: async path => {
    // Windows cannot open directories for this, and writes its directory entries through.
    if (process.platform === 'win32') return
    const directory = await open(path, 'r')
    try {
      await directory.sync()
    } finally {
      await directory.close()
    }
  }
}

/** Reads and writes by callback: half the cost of the same calls on a `FileHandle`. */
class NodeFile implements DiskFile {
  readonly #handle: FileHandle

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    let done = await this.#readOnce(target, position)
    while (done < target.length) {
      const more = await this.#readOnce(target.subarray(done), position + done)
      if (more === 0) break
      done += more
    }
    return done
  }

  readHere(target: Uint8Array, position: number): number {
    let done = 0
    while (done < target.length) {
      const left = target.length - done
      const more = fs.readSync(this.#handle.fd, target, done, left, position + done)
      if (more === 0) break
      done += more
    }
    return done
  }

  async write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    let left = buffers
    let at = position
    while (left.length > 0) {
      const written = await this.#writeOnce(left, at)
      at += written
      left = skipBytes(left, written)
    }
  }

  truncate(size: number): Promise<void> {
    return this.#handle.truncate(size)
  }

  sync(): Promise<void> {
    return this.#handle.datasync()
  }

  close(): Promise<void> {
    return this.#handle.close()
  }

  #readOnce(target: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#handle.fd, target, 0, target.length, position, (error, bytesRead) => {
        if (error === null) resolve(bytesRead)
        else reject(error)
      })
    })
  }

  #writeOnce(buffers: readonly Uint8Array[], position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.writev(this.#handle.fd, buffers, position, (error, bytesWritten) => {
        if (error === null) resolve(bytesWritten)
        else reject(error)
      })
    })
  }
}

/** What remains of the buffers after a write that took only `count` bytes. */
function skipBytes(buffers: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let left = count
  for (const [index, buffer] of buffers.entries()) {
    if (left < buffer.length) return [buffer.subarray(left), ...buffers.slice(index + 1)]
    left -= buffer.length
  }
  return []
}
