import { createMemoryNetwork } from '../../src/peer/index.ts'
import { testPeer } from '../contracts/peer-contract.ts'

let network = createMemoryNetwork()
testPeer('memory network', {
  createPeer: async () => network.createPeer({ discovery: false }),
  destroy: async () => {
    network = createMemoryNetwork()
  }
})
