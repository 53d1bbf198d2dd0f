/** What a peer remembers of replication, in memory: for tests, and for peers that keep nothing. */
import { emptyReplicationRecord } from './replication-record.ts'
import type { ReplicationRecord, ReplicationStore } from './replication-store.ts'

export function createMemoryReplicationStore(): ReplicationStore {
  let saved: ReplicationRecord = emptyReplicationRecord()
  return {
    load: async () => structuredClone(saved),
    save: async record => {
      saved = structuredClone(record)
    }
  }
}
