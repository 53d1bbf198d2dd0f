/** Which part answers which verb of `REPLICAS_PROTOCOL`. */
import type { BlockId } from '../blocks/index.ts'
import { WarrenError } from '../errors.ts'
import type { VolumeId } from '../namespace/index.ts'
import type { CallHandler, PeerId } from '../peer/index.ts'
import { createAuditHandler } from './audit/serve-audit.ts'
import { createAddressBook } from './circle/address-book.ts'
import type { Circles } from './circle/circle.ts'
import { createHasHandler } from './circle/serve-has.ts'
import { createMembershipHandlers } from './circle/serve-membership.ts'
import type { ReplicationComponents } from './create-replication.ts'
import type { HeldVolumes } from './held-volumes.ts'
import type { OwnedVolume } from './owning/owned-volume.ts'
import { createHoldersHandler } from './readers/serve-holders.ts'

export interface ReplicationVerbs {
  readonly circles: Circles
  readonly owned: OwnedVolume
  readonly held: HeldVolumes
}

export function replicationVerbs(
  {
    peer,
    clock,
    store,
    own,
    mayRead
  }: Pick<ReplicationComponents, 'peer' | 'clock' | 'store' | 'own' | 'mayRead'>,
  { circles, owned, held }: ReplicationVerbs
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
      onPledge: (volume, from, request) => {
        requireOwn(isOfOwn(volume))
        return owned.repledge(from, request)
      },
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
    throw new WarrenError('EACCES', {
      message: 'only its owner signs who holds a volume, and what'
    })
}
