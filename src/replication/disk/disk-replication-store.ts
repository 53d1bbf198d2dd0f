/**
 * What a peer remembers of replication, in one file, `replication.json`. It is secret: who knows the
 * token of an invitation may become a holder.
 */
import { join } from 'node:path'
import { openRecordFile } from '../../blocks/disk/index.ts'
import { emptyReplicationRecord, readReplicationRecord } from '../replication-record.ts'
import type { ReplicationStore } from '../replication-store.ts'

export function openDiskReplicationStore(directory: string): ReplicationStore {
  return openRecordFile(join(directory, 'replication.json'), {
    name: 'the record of replication',
    version: 1,
    empty: emptyReplicationRecord,
    read: readReplicationRecord
  })
}
