/**
 * Holder lists on disk: the record of each volume as it is, `<volume id>.holders`, in a directory
 * of their own. A list changes a few times a year, so each change replaces the file as a whole,
 * and what a crash leaves is the old list or the new one. The signature is checked again when a
 * file is read, which finds damage too. One process at a time may have the directory open.
 */
import { mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { TEMPORARY_SUFFIX, syncDirectory, writeFileDurably } from '../../blocks/disk/index.ts'
import { WarrenError, isErrorCode } from '../../errors.ts'
import { parseVolumeId } from '../../namespace/index.ts'
import type { VolumeId } from '../../namespace/index.ts'
import { decodeHolderList } from '../holders/holder-list-record.ts'
import { supersedesHolderList } from '../holders/holder-list-order.ts'
import type { HolderListStore } from '../holders/holder-list-store.ts'
import type { HolderList } from '../holders/holder-list.ts'
import { HOLDER_LIST_BYTES_MAX } from '../holders/limits.ts'

const EXTENSION = '.holders'

/** Opens the store, making the directory when it is not there. */
export async function openDiskHolderListStore(directory: string): Promise<HolderListStore> {
  await mkdir(directory, { recursive: true })
  const names = await readdir(directory)
  // What a crash left of a file that was being written; the file itself is as it was.
  const unfinished = names.filter(name => volumeOf(name, EXTENSION + TEMPORARY_SUFFIX))
  await Promise.all(unfinished.map(name => rm(join(directory, name), { force: true })))
  const volumes = names.flatMap(name => volumeOf(name, EXTENSION) ?? [])
  return new DiskHolderListStore(directory, volumes)
}

class DiskHolderListStore implements HolderListStore {
  readonly #directory: string
  /** Every volume that has a file, and its list once it was read. */
  readonly #lists = new Map<VolumeId, HolderList | undefined>()
  #lastTask: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(directory: string, volumes: readonly VolumeId[]) {
    this.#directory = directory
    for (const volume of volumes) this.#lists.set(volume, undefined)
  }

  async get(volume: VolumeId): Promise<HolderList | undefined> {
    this.#requireOpen()
    return this.#lists.get(volume) ?? (await this.#inTurn(() => this.#load(volume)))
  }

  async put(next: HolderList): Promise<boolean> {
    this.#requireOpen()
    return await this.#inTurn(async () => {
      if (!supersedesHolderList(next, await this.#load(next.volume))) return false
      await writeFileDurably(this.#pathOf(next.volume), next.bytes)
      this.#lists.set(next.volume, next)
      return true
    })
  }

  /** With those that are being put. */
  async volumes(): Promise<VolumeId[]> {
    this.#requireOpen()
    return await this.#inTurn(async () => [...this.#lists.keys()])
  }

  async delete(volume: VolumeId): Promise<void> {
    this.#requireOpen()
    await this.#inTurn(async () => {
      if (!this.#lists.has(volume)) return
      await rm(this.#pathOf(volume), { force: true })
      await syncDirectory(this.#directory)
      this.#lists.delete(volume)
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#lastTask
  }

  async #load(volume: VolumeId): Promise<HolderList | undefined> {
    const known = this.#lists.get(volume)
    if (known !== undefined || !this.#lists.has(volume)) return known
    const path = this.#pathOf(volume)
    try {
      const list = await decodeHolderList(await readAtMost(path), volume)
      this.#lists.set(volume, list)
      return list
    } catch (cause) {
      throw new WarrenError('EIO', { message: 'a holder list is damaged', path, cause })
    }
  }

  #pathOf(volume: VolumeId): string {
    return join(this.#directory, volume + EXTENSION)
  }

  /** One change at a time in the whole directory: they are rare. */
  async #inTurn<Result>(task: () => Promise<Result>): Promise<Result> {
    const turn = this.#lastTask.then(task)
    this.#lastTask = turn.catch(() => undefined)
    try {
      return await turn
    } catch (cause) {
      throw asDiskError(cause, this.#directory)
    }
  }

  #requireOpen(): void {
    if (this.#closed) throw new WarrenError('EBADF', { message: 'the holder list store is closed' })
  }
}

/** A byte more than the limit at most: enough to be refused. */
async function readAtMost(path: string): Promise<Uint8Array> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const bytes = new Uint8Array(Math.min(size, HOLDER_LIST_BYTES_MAX + 1))
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0)
    return bytes.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/** The volume whose file has this name; undefined for files that are not ours. */
function volumeOf(name: string, ending: string): VolumeId | undefined {
  if (!name.endsWith(ending)) return undefined
  try {
    return parseVolumeId(name.slice(0, -ending.length))
  } catch {
    return undefined
  }
}

function asDiskError(cause: unknown, path: string): WarrenError {
  if (cause instanceof WarrenError) return cause
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  const known = isErrorCode(code) ? code : 'EIO'
  return new WarrenError(known, { message: 'the directory of holder lists', path, cause })
}
