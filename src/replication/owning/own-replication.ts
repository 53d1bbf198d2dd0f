/** What apps ask of the replication of the own volume, by paths of the namespace. */
import { WarrenError, isWarrenError } from '../../errors.ts'
import type { LocalVolume, VolumeId } from '../../namespace/index.ts'
import type { Clock, Peer, PeerId } from '../../peer/index.ts'
import { within } from '../changes.ts'
import { callInvite } from '../circle/call-membership.ts'
import type { Policy } from '../holders/policy.ts'
import type { ReplicationStatus, WaitOptions } from '../replication.ts'
import type { CopiesNow } from './copies-now.ts'
import { untilDurable } from './durable.ts'
import { countFolders } from './folder-status.ts'
import { formatInvitation } from './invitation.ts'
import { findPlace, policyAt } from './own-place.ts'
import type { OwnPlace } from './own-place.ts'
import type { OwnedVolume } from './owned-volume.ts'
import { nameInPolicy, setPolicy, unsetPolicy } from './policies.ts'
import type { WantedPolicy } from './policies.ts'
import type { ReplicationWatch } from './replication-watch.ts'

/** A question and its answer over a slow line. */
export const ASK_MS: number = 30_000

/** Whoever waits for copies of what was just written. */
export const DURABLE_MS: number = 30_000

/** Whoever waits for many blocks to move, or to be looked at. */
export const MOVE_MS: number = 10 * 60_000

export interface OwnReplicationComponents {
  readonly peer: Pick<Peer, 'id' | 'call' | 'addresses'>
  readonly clock: Clock
  readonly own: LocalVolume
  readonly owned: OwnedVolume
  readonly copies: CopiesNow
  readonly watch: ReplicationWatch
  /** Where in which volume a path of the namespace leads, by real names. */
  readonly locate: (path: string) => Promise<{ readonly volume: VolumeId; readonly path: string }>
  /** Stores what open files have buffered. */
  readonly flush: () => Promise<void>
}

export class OwnReplication {
  readonly #components: OwnReplicationComponents

  constructor(components: OwnReplicationComponents) {
    this.#components = components
  }

  async set(path: string, policy: WantedPolicy): Promise<void> {
    const { owned, own } = this.#components
    await setPolicy({ list: owned.list, own }, await this.#find(path), policy)
  }

  async unset(path: string): Promise<void> {
    const { owned, own } = this.#components
    await unsetPolicy({ list: owned.list, own }, await this.#find(path))
  }

  async policy(path: string): Promise<Policy & { readonly from: string }> {
    const place = await this.#find(path)
    const { policy, from } = policyAt(this.#components.owned.list.now, place)
    return { ...policy, from }
  }

  async replicate(path: string, options: WaitOptions & { readonly on: PeerId }): Promise<void> {
    const { owned, own, clock, peer } = this.#components
    const { on: holder, signal, timeoutMs = MOVE_MS } = options
    const what = `a copy at ${holder}`
    await within(clock, { ...(signal && { signal }), timeoutMs, what }, async ending => {
      await this.#sync()
      await nameInPolicy({ list: owned.list, own }, await this.#find(path), holder)
      const { sequence } = owned.list.now
      const version = own.head!.sequence
      await owned.changes.until(() => {
        if (holder === peer.id) return true
        const report = owned.circle.reportOf(holder)
        const isSame = (report?.listSequence ?? -1) >= sequence
        return isSame && (report?.holds ?? -1) >= version
      }, ending)
    })
  }

  async invite(to?: PeerId, { signal, timeoutMs = ASK_MS }: WaitOptions = {}): Promise<string> {
    const { owned, own, peer, clock } = this.#components
    const token = await owned.invitations.create()
    const addresses = peer.addresses()
    const text = formatInvitation({ volume: own.id, owner: peer.id, addresses, token })
    if (to === undefined) return text
    const what = `an answer of ${to}`
    try {
      await within(clock, { ...(signal && { signal }), timeoutMs, what }, async ending => {
        const request = { volume: own.id, addresses }
        const { pledgeBytes, zone } = await callInvite(peer, to, request, { signal: ending })
        // It is in: its invitation is used up.
        await owned.invitations.take(token)
        if (!owned.isHolder(to)) {
          await owned.admit({ peer: to, pledgeBytes, zone, state: 'active' })
        }
      })
    } catch (error) {
      signal?.throwIfAborted()
      // Whoever is away, or has pledged nothing to us, can be handed the text.
      if (!isWarrenError(error) || isWarrenError(error, 'EINVAL')) throw error
    }
    return text
  }

  async remove(peer: PeerId, options: WaitOptions & { readonly drain?: boolean }): Promise<void> {
    const { owned, clock } = this.#components
    const { signal, timeoutMs = MOVE_MS, drain = true } = options
    if (!owned.isHolder(peer) || peer === this.#components.peer.id) {
      throw new WarrenError('EINVAL', { message: `${peer} is no other holder of the own volume` })
    }
    if (!drain) return await owned.remove(peer)
    await owned.drain(peer)
    const what = `what ${peer} has is elsewhere`
    await within(clock, { ...(signal && { signal }), timeoutMs, what }, async ending => {
      await owned.changes.until(() => !owned.isHolder(peer), ending)
    })
  }

  async status(path = '/', options: WaitOptions = {}): Promise<ReplicationStatus> {
    const { owned, own, clock, copies, watch } = this.#components
    const { signal, timeoutMs = MOVE_MS } = options
    const what = 'every block looked at'
    return await within(clock, { ...(signal && { signal }), timeoutMs, what }, async ending => {
      const inside = await this.#inside(path)
      const counted = await copies.count({ signal: ending })
      const place = await findPlace(counted.snapshot, inside, { signal: ending })
      const { folders, blockBytes } = await countFolders(counted, place, { signal: ending })
      const { blocks, ...estimated } = watch.repairing()
      return {
        volume: own.id,
        version: counted.version.sequence,
        folders,
        holders: owned.holders(),
        repairing: { blocks, bytes: Math.round(blocks * blockBytes), ...estimated }
      }
    })
  }

  async durable(
    path: string,
    options: WaitOptions & { readonly copies?: number } = {}
  ): Promise<void> {
    const { own, owned, clock, copies: now } = this.#components
    const { signal, timeoutMs = DURABLE_MS, copies } = options
    if (copies !== undefined && !(Number.isSafeInteger(copies) && copies > 0)) {
      throw new WarrenError('EINVAL', { message: `${copies} copies` })
    }
    const what = `${copies ?? 'all'} copies of ${path}`
    await within(clock, { ...(signal && { signal }), timeoutMs, what }, async ending => {
      await this.#sync()
      const version = own.head!
      const inside = await this.#inside(path)
      const place = await findPlace(own.at(version.root), inside, { signal: ending })
      await untilDurable({ owned, copies: now }, { place, version }, { copies, signal: ending })
    })
  }

  async #sync(): Promise<void> {
    await this.#components.flush()
    await this.#components.own.sync()
  }

  async #find(path: string): Promise<OwnPlace> {
    const snapshot = await this.#components.own.snapshot()
    return await findPlace(snapshot, await this.#inside(path))
  }

  async #inside(path: string): Promise<string> {
    const { locate, own } = this.#components
    const { volume, path: inside } = await locate(path)
    if (volume === own.id) return inside
    throw new WarrenError('EROFS', { message: `it is of volume ${volume}`, path })
  }
}
