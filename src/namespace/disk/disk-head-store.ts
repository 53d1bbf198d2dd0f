/**
 * Heads on disk: a small file for each volume, `<volume id>.head`, in a directory of their own.
 *
 * Every group commit waits for this store, so a change is one synchronous write to a slot that was
 * allocated when the file was made: nothing to rename, no size to change, one trip to the disk.
 * One process at a time may have the directory open.
 */
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { WarrenError } from '../../errors.ts'
import type { HeadStore } from '../heads/head-store.ts'
import type { SignedHead, VolumeId } from '../heads/head.ts'
import { parseVolumeId } from '../heads/volume-id.ts'
import { HeadFile } from './head-file.ts'

const EXTENSION = '.head'

/** Opens the store, making the directory when it is not there. */
export async function openDiskHeadStore(directory: string): Promise<HeadStore> {
  await mkdir(directory, { recursive: true })
  const store = new DiskHeadStore(directory)
  await store.open()
  return store
}

class DiskHeadStore implements HeadStore {
  readonly #directory: string
  readonly #files = new Map<VolumeId, HeadFile>()
  #closed = false

  constructor(directory: string) {
    this.#directory = directory
  }

  async open(): Promise<void> {
    for (const name of await readdir(this.#directory)) {
      const volume = volumeOf(name)
      if (volume !== undefined) this.#addFile(volume, { exists: true })
    }
  }

  async get(volume: VolumeId): Promise<SignedHead | undefined> {
    this.#requireOpen()
    return await this.#files.get(volume)?.get()
  }

  async compareAndSet(expected: number | undefined, next: SignedHead): Promise<boolean> {
    this.#requireOpen()
    const file = this.#files.get(next.volume) ?? this.#addFile(next.volume, { exists: false })
    return await file.compareAndSet(expected, next)
  }

  async volumes(): Promise<VolumeId[]> {
    this.#requireOpen()
    return [...this.#files].filter(([, file]) => file.exists).map(([volume]) => volume)
  }

  async delete(volume: VolumeId): Promise<void> {
    this.#requireOpen()
    await this.#files.get(volume)?.delete()
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#files.values()].map(file => file.settle()))
  }

  #addFile(volume: VolumeId, { exists }: { readonly exists: boolean }): HeadFile {
    const file = new HeadFile(join(this.#directory, volume + EXTENSION), volume, exists)
    this.#files.set(volume, file)
    return file
  }

  #requireOpen(): void {
    if (this.#closed) throw new WarrenError('EBADF', { message: 'the head store is closed' })
  }
}

/** The volume whose file has this name; undefined for files that are not ours, or unfinished. */
function volumeOf(name: string): VolumeId | undefined {
  if (!name.endsWith(EXTENSION)) return undefined
  try {
    return parseVolumeId(name.slice(0, -EXTENSION.length))
  } catch {
    return undefined
  }
}
