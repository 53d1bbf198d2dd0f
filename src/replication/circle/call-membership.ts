/** The calling halves of `join`, `invite`, `pledge` and `leave`. */
import { WarrenError } from '../../errors.ts'
import type { Peer, PeerId } from '../../peer/index.ts'
import { decodeHolderList } from '../holders/holder-list-record.ts'
import type { HolderList } from '../holders/holder-list.ts'
import { askOne } from './ask-one.ts'
import { MEMBERSHIP_MS_MAX } from './circle-limits.ts'
import {
  decodeAccepted,
  decodeJoined,
  decodeNoted,
  encodeInvite,
  encodeJoin,
  encodeLeave,
  encodePledge
} from './membership-messages.ts'
import type {
  About,
  InviteAnswer,
  InviteRequest,
  JoinRequest,
  LeaveRequest,
  PledgeRequest
} from './membership-messages.ts'
import { rememberHints } from './remember-hints.ts'

interface MembershipCallOptions {
  readonly signal?: AbortSignal
}

type Caller = Pick<Peer, 'call'>

/**
 * Shows an invitation to the owner of a volume. Resolves to a verified list in which we are a
 * holder, with the addresses of the others remembered. Throws what a call throws, `EACCES` for a
 * token that is not good any more, and `EPROTO` for a list that does not name us.
 */
export async function callJoin(
  peer: Pick<Peer, 'call' | 'id' | 'remember'>,
  owner: PeerId,
  request: About<JoinRequest>,
  options: MembershipCallOptions = {}
): Promise<HolderList> {
  const { list: bytes, addresses } = decodeJoined(
    await ask(peer, owner, encodeJoin(request), options)
  )
  const list = await decodeHolderList(bytes, request.volume)
  if (!list.holders.some(holder => holder.peer === peer.id)) {
    throw new WarrenError('EPROTO', { message: `${owner} lets us join with a list without us` })
  }
  await rememberHints(peer, list, addresses)
  return list
}

/**
 * Asks a peer to hold a volume of ours. Resolves to what it offers; it holds once a list says so.
 * Throws what a call throws, and `EACCES` when its pledge does not name us.
 */
export async function callInvite(
  peer: Caller,
  to: PeerId,
  request: About<InviteRequest>,
  options: MembershipCallOptions = {}
): Promise<InviteAnswer> {
  return decodeAccepted(await ask(peer, to, encodeInvite(request), options))
}

/**
 * Tells the owner what we give from now on. Resolves when a list that says so is signed. Throws what
 * a call throws, and `EACCES` when we are no holder.
 */
export async function callPledge(
  peer: Caller,
  owner: PeerId,
  request: About<PledgeRequest>,
  options: MembershipCallOptions = {}
): Promise<void> {
  decodeNoted(await ask(peer, owner, encodePledge(request), options))
}

/** Tells the owner that we leave, or have left. Resolves when it has noted that. Throws what a call throws. */
export async function callLeave(
  peer: Caller,
  owner: PeerId,
  request: About<LeaveRequest>,
  options: MembershipCallOptions = {}
): Promise<void> {
  decodeNoted(await ask(peer, owner, encodeLeave(request), options))
}

async function ask(
  peer: Caller,
  to: PeerId,
  body: unknown,
  { signal }: MembershipCallOptions
): Promise<unknown> {
  return await askOne(
    peer,
    to,
    { body },
    { silenceMs: MEMBERSHIP_MS_MAX, ...(signal && { signal }) }
  )
}
