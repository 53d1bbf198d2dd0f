/** Wires the parts of replication together. */
import type { BlockExchange, BlockId, CollectableBlockStore } from '../blocks/index.ts'
import { WarrenError } from '../errors.ts'
import type { HeadExchange, LocalVolume, VolumeId } from '../namespace/index.ts'
import type { CallHandler, Clock, Peer, PeerId, SigningKey } from '../peer/index.ts'
import { createAuditHandler } from './audit/serve-audit.ts'
import { createAddressBook } from './circle/address-book.ts'
import { askHas } from './circle/ask-has.ts'
import type { Circles } from './circle/circle.ts'
import { createCircles } from './circle/create-circles.ts'
import { createHasHandler } from './circle/serve-has.ts'
import { createMembershipHandlers } from './circle/serve-membership.ts'
import { HeldVolumes } from './held-volumes.ts'
import type { HolderListStore } from './holders/holder-list-store.ts'
import { openHeldVolume } from './holding/open-held-volume.ts'
import { KeptRecord } from './kept-record.ts'
import { CopiesNow } from './owning/copies-now.ts'
import { OwnReplication } from './owning/own-replication.ts'
import type { OwnReplicationComponents } from './owning/own-replication.ts'
import { OwnedVolume } from './owning/owned-volume.ts'
import { ReplicationWatch } from './owning/replication-watch.ts'
import { PeerReplication } from './peer-replication.ts'
import { randomBytesFromPlatform } from './random-bytes.ts'
import type { RandomBytes } from './random-bytes.ts'
import { findHolders } from './readers/find-holders.ts'
import { createHoldersHandler } from './readers/serve-holders.ts'
import { REPLICAS_PROTOCOL, createReplicasHandler } from './replicas-protocol.ts'
import type { ReplicationOptions } from './replication-options.ts'
import type { ReplicationStore } from './replication-store.ts'
import type { ReplicationEvents } from './replication.ts'

export interface ReplicationComponents extends Pick<OwnReplicationComponents, 'locate' | 'flush'> {
  readonly peer: Peer
  readonly clock: Clock
  /** Of the own volume. */
  readonly key: SigningKey
  readonly own: LocalVolume
  readonly store: CollectableBlockStore
  readonly exchange: BlockExchange
  readonly heads: HeadExchange
  readonly lists: HolderListStore
  readonly records: ReplicationStore
  /** Whether a peer may read a volume for other reasons than that it is held. */
  readonly mayRead: (volume: VolumeId, from: PeerId) => boolean
  /** From 0 up to 1. Default `Math.random`. */
  readonly random?: () => number
  /** Default: from the platform. */
  readonly randomBytes?: RandomBytes
}

export async function openReplication(
  components: ReplicationComponents,
  options: ReplicationOptions = {}
): Promise<PeerReplication> {
  const { peer, clock, key, own, lists, store, locate, flush } = components
  const { random = Math.random, randomBytes = randomBytesFromPlatform } = components
  const self = peer.id
  const record = await KeptRecord.open(components.records)
  const circles = createCircles({ peer, clock, random, lists }, options)
  const circle = await circles.open(own.id)
  const events = new EventTarget()
  const tell = <Name extends keyof ReplicationEvents>(
    name: Name,
    detail: ReplicationEvents[Name]['detail']
  ): void => {
    events.dispatchEvent(new CustomEvent(name, { detail }))
  }
  const volume = own.id
  const owned = new OwnedVolume(
    { self, key, own, circle, record, clock, randomBytes, usedBytes: () => store.usage().bytes },
    {
      joined: holder => tell('holder-joined', { volume, peer: holder }),
      gone: holder => tell('holder-gone', { volume, peer: holder }),
      returned: holder => tell('holder-returned', { volume, peer: holder })
    }
  )
  const copies = new CopiesNow({ self, own, owned, lacks: () => false })
  const watch = new ReplicationWatch({
    self,
    clock,
    own,
    owned,
    on: {
      underReplicated: holders => tell('under-replicated', { volume, holders }),
      replicated: version => tell('replicated', { volume, version }),
      full: holder => tell('pledge-exceeded', { volume, peer: holder })
    }
  })
  const held = createHeldVolumes({ ...components, random }, options, { record, circles, tell })
  const parts = { circles, owned, held }
  return new PeerReplication({
    self,
    clock,
    record,
    events: events as unknown as PeerReplication['events'],
    ...parts,
    copies,
    watch,
    own: new OwnReplication({ peer, clock, own, owned, copies, watch, locate, flush }),
    serve: () => peer.serve(REPLICAS_PROTOCOL, createReplicasHandler(verbsOf(components, parts))),
    findHolders: question => findHolders(components, question)
  })
}

interface Parts {
  readonly circles: Circles
  readonly owned: OwnedVolume
  readonly held: HeldVolumes
}

function createHeldVolumes(
  components: ReplicationComponents & { readonly random: () => number },
  { bytesPerSecond }: ReplicationOptions,
  {
    record,
    circles,
    tell
  }: {
    readonly record: KeptRecord
    readonly circles: Circles
    readonly tell: <Name extends keyof ReplicationEvents>(
      name: Name,
      detail: ReplicationEvents[Name]['detail']
    ) => void
  }
): HeldVolumes {
  const { peer, clock, lists, own, heads, exchange, store, random } = components
  const ask = (
    ...question: Parameters<typeof askHas> extends [unknown, ...infer Rest] ? Rest : never
  ) => askHas(peer, ...question)
  return new HeldVolumes({
    peer,
    clock,
    record,
    circles,
    lists,
    own: own.id,
    openHeld: ({ record: { volume, owner, holds, leaving }, circle, hold }) =>
      openHeldVolume(
        {
          self: peer.id,
          owner,
          volume,
          circle,
          heads,
          exchange,
          store,
          clock,
          random,
          askHas: ask,
          hold
        },
        { held: holds, leaving, ...(bytesPerSecond !== undefined && { bytesPerSecond }) }
      ),
    on: {
      repaired: (volume, detail) => tell('repaired', { volume, ...detail }),
      lost: (volume, detail) => tell('lost', { volume, ...detail }),
      full: volume => tell('pledge-exceeded', { volume, peer: peer.id }),
      opened: () => {},
      closed: () => {}
    }
  })
}

function verbsOf(
  { peer, clock, store, own, mayRead }: ReplicationComponents,
  { circles, owned, held }: Parts
): Record<string, CallHandler> {
  const isOfOwn = (volume: VolumeId): boolean => volume === own.id
  return {
    ...circles.verbs,
    ...createMembershipHandlers({
      peer,
      clock,
      onJoin: (volume, from, request) => {
        requireOwn(isOfOwn(volume))
        return owned.join(from, request)
      },
      onInvite: (volume, from, request) => held.invited(volume, from, request),
      onLeave: async (volume, from, request) => {
        if (isOfOwn(volume)) await owned.leave(from, request)
      }
    }),
    has: createHasHandler({
      clock,
      isHolder: (volume, from) => circles.isHolder(volume, from),
      hasBlocks: async (volume, ids, options) =>
        isOfOwn(volume)
          ? await Promise.all(ids.map(id => store.has(id, options)))
          : ids.map(id => held.get(volume)?.has(id) ?? false)
    }),
    audit: createAuditHandler({
      peer,
      store,
      clock,
      mayAudit: (_id: BlockId, from) => isAnyHolder(from)
    }),
    holders: createHoldersHandler({
      clock,
      addressesOf: createAddressBook(peer, clock),
      listOf: volume => circles.get(volume)?.list,
      mayRead: (volume, from) =>
        mayRead(volume, from) || held.holds(volume) || circles.isHolder(volume, from)
    })
  }

  function isAnyHolder(from: PeerId): boolean {
    const volumes = [own.id, ...held.list().map(status => status.volume)]
    return volumes.some(volume => circles.isHolder(volume, from))
  }
}

function requireOwn(isOwn: boolean): void {
  if (!isOwn)
    throw new WarrenError('EACCES', { message: 'only its owner lets others hold a volume' })
}
