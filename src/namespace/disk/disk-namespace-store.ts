/**
 * Keeps mounts and shares in one file, `namespace.json`: text, because a person may want to read
 * or mend it. Replaced as a whole, so a crash leaves the old list or the new one. Only its owner may
 * read it: links may have keys in them.
 */
import { chmod, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileDurably } from '../../blocks/disk/index.ts'
import { WarrenError } from '../../errors.ts'
import type { NamespaceRecord, NamespaceStore } from '../mounts/namespace-store.ts'
import { Turns } from '../volume/turns.ts'

const FORMAT = 1

export function openDiskNamespaceStore(directory: string): NamespaceStore {
  const path = join(directory, 'namespace.json')
  const turns = new Turns()
  return {
    load: async () => parse(await readIfThere(path), path),
    // One after the other: the last one called is the one that stays.
    save: record =>
      turns.take(async () => {
        await writeFileDurably(path, encode(record))
        await chmod(path, 0o600)
      })
  }
}

function encode(record: NamespaceRecord): Uint8Array {
  return new TextEncoder().encode(
    JSON.stringify({ format: FORMAT, ...record }, undefined, 2) + '\n'
  )
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function parse(text: string | undefined, path: string): NamespaceRecord {
  if (text === undefined) return { mounts: [], shares: [] }
  try {
    const { format, mounts, shares } = JSON.parse(text) as Record<string, unknown>
    if (format !== FORMAT) throw new Error(`format ${String(format)}`)
    return {
      mounts: records(mounts).map(record => ({
        path: string(record.path),
        link: string(record.link)
      })),
      shares: records(shares).map(record => ({
        path: string(record.path),
        name: string(record.name)
      }))
    }
  } catch (cause) {
    throw new WarrenError('EIO', {
      message: 'the file of mounts and shares is damaged',
      path,
      cause
    })
  }
}

function records(value: unknown): Record<string, unknown>[] {
  if (!Array.isArray(value)) throw new Error('not a list')
  return value as Record<string, unknown>[]
}

function string(value: unknown): string {
  if (typeof value !== 'string') throw new Error('not a text')
  return value
}
