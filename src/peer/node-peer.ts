/**
 * A peer with the defaults of Node: TCP, noise on Node's own cryptography, and multicast DNS to be
 * found on the local network. Not behind this folder's door, so that browsers do not load it.
 */
import { noise } from '@chainsafe/libp2p-noise'
import { mdns } from '@libp2p/mdns'
import type { Libp2pPeerOptions } from './create-libp2p-peer.ts'
import { createLibp2pPeer } from './create-libp2p-peer.ts'
import { collectWhilePassing, nodePrimitives } from './node-noise/index.ts'
import { gatheringTcp } from './node-tcp.ts'
import type { Peer } from './peer.ts'

export { collectYoung } from './node-noise/index.ts'

export interface NodePeerOptions extends Libp2pPeerOptions {
  /** Whether to find, and be found by, peers on the local network. Default true. */
  readonly discovery?: boolean
}

/** Our own, so that we are not told of every libp2p node around. */
const SERVICE_TAG = '_warren._udp.local'

const LISTEN = ['/ip4/0.0.0.0/tcp/0']

/** Resolves to a peer that is not started. It listens on all IPv4 addresses, at a free port, by default. */
export async function createNodePeer(options: NodePeerOptions = {}): Promise<Peer> {
  const { discovery = true, ...rest } = options
  return createLibp2pPeer({
    listen: LISTEN,
    transports: [gatheringTcp()],
    connectionEncrypters: [noise({ crypto: collectWhilePassing(nodePrimitives) })],
    ...(discovery && { peerDiscovery: [mdns({ serviceTag: SERVICE_TAG })] }),
    ...rest
  })
}
