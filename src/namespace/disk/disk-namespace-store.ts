/** Keeps mounts and shares in one file, `namespace.json`. Links in it may have keys in them. */
import { join } from 'node:path'
import { openRecordFile } from '../../blocks/disk/index.ts'
import type { NamespaceRecord, NamespaceStore } from '../mounts/namespace-store.ts'

export function openDiskNamespaceStore(directory: string): NamespaceStore {
  return openRecordFile<NamespaceRecord>(join(directory, 'namespace.json'), {
    name: 'the file of mounts and shares',
    version: 1,
    empty: () => ({ mounts: [], shares: [] }),
    read: readNamespace
  })
}

function readNamespace(stored: unknown): NamespaceRecord {
  const { mounts, shares } = stored as Record<string, unknown>
  return {
    mounts: records(mounts).map(record => ({
      path: string(record['path']),
      link: string(record['link'])
    })),
    shares: records(shares).map(record => ({
      path: string(record['path']),
      name: string(record['name'])
    }))
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
