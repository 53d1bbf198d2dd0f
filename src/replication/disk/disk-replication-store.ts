/**
 * What a peer remembers of replication, in one file, `replication.json`: text, because a person
 * may want to read or mend it. Replaced as a whole, so a crash leaves the old record or the new
 * one. Only its owner may read it: who knows the token of an invitation may become a holder.
 */
import { chmod, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileDurably } from '../../blocks/disk/index.ts'
import { WarrenError } from '../../errors.ts'
import { emptyReplicationRecord, readReplicationRecord } from '../replication-record.ts'
import type { ReplicationRecord, ReplicationStore } from '../replication-store.ts'

const FORMAT = 1

export function openDiskReplicationStore(directory: string): ReplicationStore {
  const path = join(directory, 'replication.json')
  let lastSave: Promise<unknown> = Promise.resolve()
  return {
    load: async () => {
      await lastSave
      return parse(await readIfThere(path), path)
    },
    // One after the other: the last one called is the one that stays.
    save: async record => {
      const bytes = encode(record)
      const saved = lastSave.then(async () => {
        await writeFileDurably(path, bytes)
        await chmod(path, 0o600)
      })
      lastSave = saved.catch(() => {})
      await saved
    }
  }
}

function encode(record: ReplicationRecord): Uint8Array {
  const text = JSON.stringify({ format: FORMAT, ...record }, undefined, 2)
  return new TextEncoder().encode(text + '\n')
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function parse(text: string | undefined, path: string): ReplicationRecord {
  if (text === undefined) return emptyReplicationRecord()
  try {
    const stored = JSON.parse(text) as { readonly format?: unknown } | null
    if (stored?.format !== FORMAT) throw new Error(`format ${String(stored?.format)}`)
    return readReplicationRecord(stored)
  } catch (cause) {
    throw new WarrenError('EIO', { message: 'the record of replication is damaged', path, cause })
  }
}
