/** The invitations to hold the own volume that nobody has accepted yet. Each lets one peer in, once. */
import { WarrenError } from '../../errors.ts'
import type { Clock } from '../../peer/index.ts'
import type { KeptRecord } from '../kept-record.ts'
import type { RandomBytes } from '../random-bytes.ts'
import type { InvitationRecord } from '../replication-store.ts'
import { createToken } from './invitation.ts'

/** A week: long enough for a person to answer a letter, short enough that a lost one does no harm. */
export const INVITATION_MS: number = 7 * 24 * 60 * 60 * 1000

/** More than anybody sends in a week; each is kept in a file that is written whole. */
export const INVITATIONS_MAX = 1024

export interface InvitationsComponents {
  readonly record: KeptRecord
  readonly clock: Pick<Clock, 'now'>
  readonly randomBytes: RandomBytes
}

export class Invitations {
  readonly #components: InvitationsComponents

  constructor(components: InvitationsComponents) {
    this.#components = components
  }

  /** Resolves to the token when it is durable. Throws `ENOSPC` when too many are waiting. */
  async create(): Promise<string> {
    const { record, clock, randomBytes } = this.#components
    const token = createToken(randomBytes)
    const untilMs = Math.floor(clock.now()) + INVITATION_MS
    await record.change(before => {
      const invitations = this.#valid(before.invitations)
      if (invitations.length >= INVITATIONS_MAX) {
        throw new WarrenError('ENOSPC', { message: `over ${INVITATIONS_MAX} invitations` })
      }
      return { ...before, invitations: [...invitations, { token, untilMs }] }
    })
    return token
  }

  /**
   * Uses a token up, durably, and gives what puts it back for who then cannot let its bearer in.
   * Throws `EACCES` for one that is unknown, used or expired.
   */
  async take(token: string): Promise<() => Promise<void>> {
    const { record } = this.#components
    let taken: InvitationRecord | undefined
    await record.change(before => {
      const invitations = this.#valid(before.invitations)
      taken = invitations.find(invitation => invitation.token === token)
      if (taken === undefined) {
        throw new WarrenError('EACCES', { message: 'the invitation is not valid any more' })
      }
      return { ...before, invitations: invitations.filter(invitation => invitation !== taken) }
    })
    return () =>
      record.change(before => ({ ...before, invitations: [...before.invitations, taken!] }))
  }

  #valid(invitations: readonly InvitationRecord[]): readonly InvitationRecord[] {
    const now = this.#components.clock.now()
    return invitations.filter(({ untilMs }) => untilMs > now)
  }
}
