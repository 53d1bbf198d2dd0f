/**
 * Identifies peers when their first requests are over. Both ends ask where the other listens, each on
 * a stream of its own and with a signature, which is a third of the processor time of a new connection.
 * Whoever connects wants something, and nobody needs these addresses before the connection is lost.
 */
import type { Identify } from '@libp2p/identify'
import type { Connection, Libp2p } from '@libp2p/interface'

/** Longer than a first read takes over most links, shorter than anybody takes to pass an address on. */
const IDENTIFY_AFTER_MS = 500

/** For a node whose service does not identify by itself when a connection opens. */
export function identifyLater(node: Libp2p, service: Identify): void {
  node.addEventListener('connection:open', ({ detail: connection }) => later(connection, service))
}

function later(connection: Connection, service: Identify): void {
  const timer = setTimeout(() => {
    // What it finds out is told by an event of the node; a peer that does not tell stays as it is.
    if (connection.status === 'open') service.identify(connection).catch(() => {})
  }, IDENTIFY_AFTER_MS)
  connection.addEventListener('close', () => clearTimeout(timer))
}
