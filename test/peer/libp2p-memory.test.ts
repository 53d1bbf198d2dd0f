import { memory } from '@libp2p/memory'
import { createLibp2pPeer } from '../../src/peer/index.ts'
import { testPeer } from '../contracts/peer-contract.ts'

/** The memory transport keeps its listeners in one map of the process. */
let lastAddress = 0

testPeer('libp2p without sockets', {
  createPeer: () =>
    createLibp2pPeer({
      listen: [`/memory/peer-${++lastAddress}`],
      transports: [memory()]
    })
})
