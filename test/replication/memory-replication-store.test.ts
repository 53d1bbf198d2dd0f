import { createMemoryReplicationStore } from '../../src/replication/index.ts'
import { testReplicationStore } from '../contracts/replication-store-contract.ts'

testReplicationStore('memory', { create: async () => createMemoryReplicationStore() })
