/** Wires what is kept of others' volumes. */
import type { BlockId } from '../blocks/index.ts'
import type { VolumeId } from '../namespace/index.ts'
import { askHas } from './circle/ask-has.ts'
import type { Circles } from './circle/circle.ts'
import type { ReplicationComponents } from './create-replication.ts'
import { HeldVolumes } from './held-volumes.ts'
import type { AskHas } from './holding/confirm-blocks.ts'
import { openHeldVolume } from './holding/open-held-volume.ts'
import type { KeptRecord } from './kept-record.ts'
import type { ReplicationOptions } from './replication-options.ts'
import type { HeldRecord } from './replication-store.ts'
import type { ReplicationEvents } from './replication.ts'
import type { Upkeep } from './upkeep/upkeep.ts'

/** Tells apps. */
export type Tell = <Name extends keyof ReplicationEvents>(
  name: Name,
  detail: ReplicationEvents[Name]['detail']
) => void

export interface HeldVolumesParts {
  readonly record: KeptRecord
  readonly circles: Circles
  readonly upkeep: Upkeep
  readonly tell: Tell
}

export function createHeldVolumes(
  components: ReplicationComponents & { readonly random: () => number },
  { bytesPerSecond, graceMs }: ReplicationOptions,
  { record, circles, upkeep, tell }: HeldVolumesParts
): HeldVolumes {
  const { peer, clock, lists, own, heads, exchange, store, random } = components
  const ask: AskHas = (...question) => askHas(peer, ...question)
  return new HeldVolumes({
    peer,
    clock,
    record,
    circles,
    lists,
    own: own.id,
    openHeld: ({ record: { volume, owner, holds, share, leaving }, circle, hold, keepShare }) =>
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
          hold,
          keepShare
        },
        {
          held: holds,
          pledgeBytes: () => heldOf(record, volume)?.pledgeBytes ?? 0,
          share,
          leaving,
          // Others believe as soon that we take more.
          raiseMs: graceMs,
          ...(bytesPerSecond !== undefined && { bytesPerSecond })
        }
      ),
    on: {
      repaired: (volume, detail) => tell('repaired', { volume, ...detail }),
      lost: (volume, detail) => tell('lost', { volume, ...detail }),
      full: volume => tell('pledge-exceeded', { volume, peer: peer.id }),
      opened: ({ volume }, circle) =>
        upkeep.watch(volume, {
          circle,
          listOf: sequence => (circle.list?.sequence === sequence ? circle.list : undefined),
          rootOf: sequence => heldRootOf(record, volume, sequence)
        }),
      closed: volume => upkeep.unwatch(volume)
    }
  })
}

function heldRootOf(record: KeptRecord, volume: VolumeId, sequence: number): BlockId | undefined {
  const holds = heldOf(record, volume)?.holds
  return holds?.sequence === sequence ? holds.root : undefined
}

function heldOf(record: KeptRecord, volume: VolumeId): HeldRecord | undefined {
  return record.now.held.find(held => held.volume === volume)
}
