/** A process that must end by itself once its peers have stopped: nothing ends it from outside. */
import { createNodePeer } from '../../src/peer/node-peer.ts'
import { COUNT, collect, countTo } from '../contracts/peer-contract.ts'

const alice = await createNodePeer()
const bob = await createNodePeer({ listen: ['/ip4/127.0.0.1/tcp/0'] })
await alice.start()
await bob.start()
bob.serve(COUNT, request => countTo(request.body as number, 10_000))
const id = await alice.dial(bob.addresses()[0]!)
await alice.keep(bob.id)
await collect(alice, id, { body: 100 }, COUNT)
const interrupted = collect(alice, id, { body: 1_000_000 }, COUNT)
const outcome = interrupted.catch((error: { code?: string }) => error.code)
await new Promise(resolve => setTimeout(resolve, 50))
await bob.stop()
await alice.stop()
console.log(await outcome)
