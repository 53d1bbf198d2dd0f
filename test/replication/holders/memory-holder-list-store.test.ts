import { createMemoryHolderListStore } from '../../../src/replication/index.ts'
import { testHolderListStore } from '../../contracts/holder-list-store-contract.ts'

testHolderListStore('memory', { create: async () => createMemoryHolderListStore() })
