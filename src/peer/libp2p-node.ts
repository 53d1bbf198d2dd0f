/**
 * Our own libp2p node, for apps that have none. Transports come from outside, because they are
 * what differs between platforms: see `node-peer.ts` for those of Node.
 */
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { ping } from '@libp2p/ping'
import { createLibp2p } from 'libp2p'
import type { Libp2pOptions } from 'libp2p'
import { identifyLater } from './identify-later.ts'
import {
  CONNECTIONS_PENDING_MAX,
  CONNECTIONS_PER_SECOND_MAX,
  DIAL_MS_MAX,
  STREAM_WINDOW_BYTES_MAX
} from './limits.ts'
import type { SigningKey } from './signing-key.ts'

export interface Libp2pNodeOptions {
  readonly key: SigningKey
  /** Multiaddrs to listen on. Default none. */
  readonly listen?: readonly string[]
  readonly transports: Libp2pOptions['transports']
  /** Default noise. */
  readonly connectionEncrypters?: Libp2pOptions['connectionEncrypters']
  readonly peerDiscovery?: Libp2pOptions['peerDiscovery']
}

/** Resolves to a node that is not started. */
export async function createLibp2pNode(options: Libp2pNodeOptions): Promise<Libp2p> {
  const node = await createLibp2p({
    start: false,
    privateKey: privateKeyFromProtobuf(options.key.export()),
    addresses: { listen: [...(options.listen ?? [])] },
    transports: options.transports ?? [],
    connectionEncrypters: options.connectionEncrypters ?? [noise()],
    streamMuxers: [yamux({ streamOptions: { maxStreamWindowSize: STREAM_WINDOW_BYTES_MAX } })],
    peerDiscovery: options.peerDiscovery ?? [],
    services: { identify: identify({ runOnConnectionOpen: false }), ping: ping() },
    connectionManager: {
      dialTimeout: DIAL_MS_MAX,
      inboundConnectionThreshold: CONNECTIONS_PER_SECOND_MAX,
      maxIncomingPendingConnections: CONNECTIONS_PENDING_MAX
    },
    // Its monitor gives a connection up at the first late ping, which a busy process causes easily.
    // Ours waits for several: see `heartbeat.ts`.
    connectionMonitor: { enabled: false, abortConnectionOnPingFailure: false }
  })
  identifyLater(node, node.services.identify)
  return node
}
