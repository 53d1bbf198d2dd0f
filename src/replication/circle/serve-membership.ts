/** The serving halves of `join`, `invite`, `pledge` and `leave`: who decides is passed in. */
import { WarrenError } from '../../errors.ts'
import type { VolumeId } from '../../namespace/index.ts'
import type { CallHandler, Clock, Peer, PeerId } from '../../peer/index.ts'
import { Allowances } from '../allowances.ts'
import type { HolderList } from '../holders/holder-list.ts'
import { createAddressBook } from './address-book.ts'
import { MEMBERSHIP_BURST, MEMBERSHIP_PER_SECOND } from './circle-limits.ts'
import {
  decodeInvite,
  decodeJoin,
  decodeLeave,
  decodePledge,
  encodeAccepted,
  encodeJoined
} from './membership-messages.ts'
import type {
  InviteAnswer,
  InviteRequest,
  JoinRequest,
  LeaveRequest,
  PledgeRequest
} from './membership-messages.ts'
import type { AddressHints } from './message-parts.ts'
import { rememberAddresses } from './remember-hints.ts'
import { Ring } from './ring.ts'

interface DecideOptions {
  readonly signal: AbortSignal
}

/** What each throws reaches who asked, with its code. A missing one is answered with `ENOTSUP`. */
export interface MembershipDecisions {
  /**
   * Somebody shows an invitation to hold a volume of ours. Resolves to a list that was signed and
   * stored, and in which it is a holder. Asked the same again by the same peer, because the answer
   * was lost, it should answer the same again.
   */
  readonly onJoin?: (
    volume: VolumeId,
    from: PeerId,
    request: JoinRequest,
    options: DecideOptions
  ) => Promise<HolderList>
  /**
   * Somebody asks us to hold a volume, which may or may not be theirs. Resolves when a circle of
   * the volume is open here, with `from` as a source: the list comes by it.
   */
  readonly onInvite?: (
    volume: VolumeId,
    from: PeerId,
    request: InviteRequest,
    options: DecideOptions
  ) => Promise<InviteAnswer>
  /**
   * Somebody says what it gives from now on. Resolves when a list is signed and stored that says so;
   * throws `EACCES` when it is no holder of a volume of ours.
   */
  readonly onPledge?: (
    volume: VolumeId,
    from: PeerId,
    request: PledgeRequest,
    options: DecideOptions
  ) => Promise<void>
  /** Somebody, holder or not, says that it leaves. Resolves when that is noted on disk. */
  readonly onLeave?: (
    volume: VolumeId,
    from: PeerId,
    request: LeaveRequest,
    options: DecideOptions
  ) => Promise<void>
}

export interface ServeMembershipComponents extends MembershipDecisions {
  readonly peer: Pick<Peer, 'id' | 'addresses' | 'known' | 'remember'>
  readonly clock: Pick<Clock, 'now'>
}

export interface MembershipVerbs {
  readonly join: CallHandler
  readonly invite: CallHandler
  readonly pledge: CallHandler
  readonly leave: CallHandler
}

/** The handlers of the verbs, for `createReplicasHandler`. */
export function createMembershipHandlers(components: ServeMembershipComponents): MembershipVerbs {
  const { onJoin, onInvite, onPledge, onLeave, peer, clock } = components
  const addressesOf = createAddressBook(peer, clock)
  const allowances = new Allowances(clock, {
    burst: MEMBERSHIP_BURST,
    perSecond: MEMBERSHIP_PER_SECOND
  })

  /** Each decision may cost a signature and a sync, and guesses of a token are to be slow. */
  function admit(from: PeerId): void {
    if (allowances.take(from, 1)) return
    throw new WarrenError('EBUSY', { message: `${from} asks too often` })
  }

  function hintsFor(from: PeerId, list: HolderList): AddressHints {
    // Those whom it is going to watch come first: a message takes no more than so many.
    const others = new Set(new Ring(list).watchedBy(from))
    for (const holder of list.holders) if (holder.peer !== from) others.add(holder.peer)
    const hints = [...others].map(other => [other, addressesOf(other)] as const)
    return new Map(hints.filter(([, addresses]) => addresses.length > 0))
  }

  return {
    async *join({ body }, { from, signal }) {
      const { volume, ...request } = decodeJoin(body)
      admit(from)
      if (onJoin === undefined) throw new WarrenError('ENOTSUP', { message: 'joining' })
      const list = await onJoin(volume, from, request, { signal })
      await rememberAddresses(peer, from, request.addresses)
      yield { body: encodeJoined(list.bytes, hintsFor(from, list)) }
    },
    async *invite({ body }, { from, signal }) {
      const { volume, ...request } = decodeInvite(body)
      admit(from)
      if (onInvite === undefined) throw new WarrenError('ENOTSUP', { message: 'inviting' })
      const answer = await onInvite(volume, from, request, { signal })
      await rememberAddresses(peer, from, request.addresses)
      yield { body: encodeAccepted(answer) }
    },
    async *pledge({ body }, { from, signal }) {
      const { volume, ...request } = decodePledge(body)
      admit(from)
      if (onPledge === undefined) throw new WarrenError('ENOTSUP', { message: 'pledging' })
      await onPledge(volume, from, request, { signal })
      yield { body: {} }
    },
    async *leave({ body }, { from, signal }) {
      const { volume, ...request } = decodeLeave(body)
      admit(from)
      if (onLeave === undefined) throw new WarrenError('ENOTSUP', { message: 'leaving' })
      await onLeave(volume, from, request, { signal })
      yield { body: {} }
    }
  }
}
