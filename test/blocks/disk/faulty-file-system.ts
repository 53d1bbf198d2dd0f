/**
 * A file system that fills up, fails and tears writes on command.
 *
 * Exports: `new FaultyFileSystem()` with `bytesLeft`, how much may still be written before ENOSPC
 * (a write that does not fit is torn where the space ends), and `fail`, called before every
 * operation and free to throw.
 */
import { nodeFileSystem } from '../../../src/blocks/disk/index.ts'
import type { DiskFile, FileSystem } from '../../../src/blocks/disk/index.ts'

export type Operation = keyof DiskFile | keyof FileSystem

export class FaultyFileSystem implements FileSystem {
  bytesLeft: number = Infinity
  fail: (operation: Operation, path: string) => void = () => {}

  async open(path: string, mode: 'read' | 'write' | 'create'): Promise<DiskFile> {
    this.fail('open', path)
    return this.#wrap(await nodeFileSystem.open(path, mode), path)
  }

  async makeDirectory(path: string): Promise<void> {
    this.fail('makeDirectory', path)
    await nodeFileSystem.makeDirectory(path)
  }

  async names(directory: string): Promise<string[]> {
    this.fail('names', directory)
    return nodeFileSystem.names(directory)
  }

  async rename(from: string, to: string): Promise<void> {
    this.fail('rename', to)
    await nodeFileSystem.rename(from, to)
  }

  async remove(path: string): Promise<void> {
    this.fail('remove', path)
    await nodeFileSystem.remove(path)
  }

  async syncDirectory(path: string): Promise<void> {
    this.fail('syncDirectory', path)
    await nodeFileSystem.syncDirectory(path)
  }

  #wrap(file: DiskFile, path: string): DiskFile {
    const before = (operation: Operation): void => this.fail(operation, path)
    return {
      size: async () => (before('size'), file.size()),
      read: async (target, position) => (before('read'), file.read(target, position)),
      readHere: (target, position) => (before('read'), file.readHere(target, position)),
      write: async (buffers, position) => {
        before('write')
        await this.#write(file, joined(buffers), position)
      },
      truncate: async size => (before('truncate'), file.truncate(size)),
      sync: async () => (before('sync'), file.sync()),
      close: () => file.close()
    }
  }

  async #write(file: DiskFile, bytes: Uint8Array, position: number): Promise<void> {
    const fitting = bytes.subarray(0, this.bytesLeft)
    this.bytesLeft -= fitting.length
    await file.write([fitting], position)
    if (fitting.length < bytes.length) throw systemError('ENOSPC')
  }
}

export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made up by a test`), { code })
}

function joined(buffers: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(buffers.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const buffer of buffers) {
    bytes.set(buffer, at)
    at += buffer.length
  }
  return bytes
}
