/** Wires the parts of replication together. */
import type { BlockExchange, BlockSession, CollectableBlockStore } from '../blocks/index.ts'
import type { HeadExchange, LocalVolume, VolumeId } from '../namespace/index.ts'
import type { Clock, Peer, PeerId, SigningKey } from '../peer/index.ts'
import { createMemoryAddressStore } from './addresses/address-store.ts'
import type { AddressStore } from './addresses/address-store.ts'
import { KeptAddresses } from './addresses/kept-addresses.ts'
import type { Circle, Circles } from './circle/circle.ts'
import { createCircles } from './circle/create-circles.ts'
import { createHeldVolumes } from './create-held-volumes.ts'
import type { Tell } from './create-held-volumes.ts'
import type { HeldVolumes } from './held-volumes.ts'
import type { HolderListStore } from './holders/holder-list-store.ts'
import { KeptDistrust } from './kept-distrust.ts'
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
import type { FindHoldersQuestion, HolderSearch } from './readers/find-holders.ts'
import { REPLICAS_PROTOCOL, createReplicasHandler } from './replicas-protocol.ts'
import type { ReplicationOptions } from './replication-options.ts'
import type { ReplicationStore } from './replication-store.ts'
import { replicationVerbs } from './replication-verbs.ts'
import type { ScrubStore } from './scrub/scrub-record.ts'
import { Upkeep } from './upkeep/upkeep.ts'

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
  readonly scrubStore?: ScrubStore | undefined
  /** Default: in memory. */
  readonly addressStore?: AddressStore | undefined
  /** Of the own volume: looks here, and then at its holders. As blocks are stored, not opened. */
  readonly reader: BlockSession
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
  const { random = Math.random, randomBytes = randomBytesFromPlatform } = components
  const chosen = { ...components, random, randomBytes }
  const { peer, clock, own, lists, locate, flush } = components
  const { addressStore: store = createMemoryAddressStore() } = components
  const record = await KeptRecord.open(components.records)
  const addresses = await KeptAddresses.open({ peer, clock, store, lists })
  const circles = createCircles({ peer, clock, random, lists }, options)
  const circle = await circles.open(own.id)
  const events = new EventTarget()
  const tell: Tell = (name, detail) => {
    events.dispatchEvent(new CustomEvent(name, { detail }))
  }
  const distrust = new KeptDistrust(record, own.id)
  const { owned, watch } = watchOwn(chosen, { record, circle, tell, distrust })
  const upkeep = createUpkeep(chosen, options, { tell, distrust, held: () => held })
  for (const type of ['presence', 'report'] as const) {
    circle.events.addEventListener(type, () => upkeep.retryLost())
  }
  const copies = new CopiesNow({
    self: peer.id,
    own,
    owned,
    lacks: id => upkeep.lacks(id),
    lookAgain: asked => upkeep.lookAgain(asked)
  })
  upkeep.watch(own.id, {
    circle,
    listOf: sequence => owned.list.of(sequence),
    rootOf: sequence => copies.rootOf(sequence)
  })
  const held = createHeldVolumes(chosen, options, { record, circles, upkeep, tell })
  const verbs = replicationVerbs(components, { circles, owned, held })
  return new PeerReplication({
    self: peer.id,
    clock,
    record,
    addresses,
    events: events as unknown as PeerReplication['events'],
    circles,
    owned,
    held,
    copies,
    watch,
    upkeep,
    own: new OwnReplication({ peer, clock, own, owned, copies, watch, locate, flush }),
    serve: () => peer.serve(REPLICAS_PROTOCOL, createReplicasHandler(verbs)),
    findHolders: question => searchFor(question, components, { circles, addresses })
  })
}

function searchFor(
  { volume, sources, found }: FindHoldersQuestion,
  { peer, clock, lists }: ReplicationComponents,
  { circles, addresses }: { readonly circles: Circles; readonly addresses: KeptAddresses }
): HolderSearch {
  const search = findHolders(
    { peer, clock, lists },
    {
      volume,
      sources,
      found: holders => {
        found(holders)
        addresses.expect()
      }
    }
  )
  return {
    end: () => search.end(),
    // What is held has its list from there on.
    forget: async () => {
      if (circles.get(volume) === undefined) await search.forget()
      else search.end()
    }
  }
}

type Chosen = ReplicationComponents &
  Required<Pick<ReplicationComponents, 'random' | 'randomBytes'>>

function watchOwn(
  { peer, key, own, clock, randomBytes, store }: Chosen,
  {
    record,
    circle,
    tell,
    distrust
  }: {
    readonly record: KeptRecord
    readonly circle: Circle
    readonly tell: Tell
    readonly distrust: KeptDistrust
  }
): { readonly owned: OwnedVolume; readonly watch: ReplicationWatch } {
  const self = peer.id
  const volume = own.id
  const usedBytes = (): number => store.usage().bytes
  const owned = new OwnedVolume(
    { self, key, own, circle, record, distrust, clock, randomBytes, usedBytes },
    {
      joined: holder => tell('holder-joined', { volume, peer: holder }),
      gone: holder => tell('holder-gone', { volume, peer: holder }),
      returned: holder => tell('holder-returned', { volume, peer: holder })
    }
  )
  const on = {
    underReplicated: (holders: number) => tell('under-replicated', { volume, holders }),
    replicated: (version: number) => tell('replicated', { volume, version }),
    full: (holder: PeerId) => tell('pledge-exceeded', { volume, peer: holder })
  }
  return { owned, watch: new ReplicationWatch({ self, clock, own, owned, on }) }
}

function createUpkeep(
  components: Chosen,
  options: ReplicationOptions,
  {
    tell,
    distrust,
    held
  }: {
    readonly tell: Tell
    readonly distrust: KeptDistrust
    readonly held: () => HeldVolumes
  }
): Upkeep {
  const volume = components.own.id
  return new Upkeep(
    {
      ...components,
      held: () => held().all(),
      distrust,
      on: {
        corrupt: (of, peer, blocks) => tell('corrupt-found', { volume: of, peer, blocks }),
        distrusted: (of, peer, reason) => tell('holder-distrusted', { volume: of, peer, reason }),
        trusted: (of, peer) => tell('holder-trusted', { volume: of, peer }),
        repaired: detail => tell('repaired', { volume, ...detail }),
        lost: ids => tell('lost', { volume, ids })
      }
    },
    options
  )
}
