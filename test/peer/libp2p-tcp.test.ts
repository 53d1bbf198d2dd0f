import { createNodePeer } from '../../src/peer/node-peer.ts'
import { testPeer } from '../contracts/peer-contract.ts'

testPeer('libp2p over TCP', {
  createPeer: () => createNodePeer({ listen: ['/ip4/127.0.0.1/tcp/0'], discovery: false })
})
