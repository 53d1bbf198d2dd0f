import { createMemoryHeadStore } from '../../../src/namespace/heads/memory-head-store.ts'
import { testHeadStore } from '../../contracts/head-store-contract.ts'

testHeadStore('memory', { create: async () => createMemoryHeadStore() })
