/** A question to another holder that has exactly one answer. */
import { WarrenError } from '../../errors.ts'
import type { CallOptions, OutgoingMessage, Peer, PeerId } from '../../peer/index.ts'
import { REPLICAS_PROTOCOL } from '../replicas-protocol.ts'

/** The body of the answer. Throws what a call throws, and `EPROTO` when there is none. */
export async function askOne(
  peer: Pick<Peer, 'call'>,
  to: PeerId,
  request: OutgoingMessage,
  options: CallOptions
): Promise<unknown> {
  for await (const { body } of peer.call(to, REPLICAS_PROTOCOL, request, options)) return body
  throw new WarrenError('EPROTO', { message: `${to} did not answer` })
}
