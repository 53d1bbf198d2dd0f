/** The child of the process tests: one peer over TCP, moved by its parent. */
import type { PeerId } from '../../src/peer/index.ts'
import { createNodePeer } from '../../src/peer/node-peer.ts'
import { COUNT, ECHO, collect, countTo, echo } from '../contracts/peer-contract.ts'
import { answerCalls } from '../fixtures/answer-calls.ts'

const peer = await createNodePeer({ listen: ['/ip4/127.0.0.1/tcp/0'], discovery: false })
peer.serve(ECHO, echo)
peer.serve(COUNT, request => countTo(request.body as number, 100_000))
await peer.start()

answerCalls({
  id: () => peer.id,
  addresses: () => peer.addresses(),
  connected: () => peer.connected(),
  dial: (address: string) => peer.dial(address),
  echo: async (id: PeerId, text: string) => {
    const [answer] = await collect(peer, id, { body: text })
    return answer?.body
  },
  stop: () => peer.stop()
})
