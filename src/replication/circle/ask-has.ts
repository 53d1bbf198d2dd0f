/** The asking half of `has`: see `has-messages.ts`. */
import type { BlockId } from '../../blocks/index.ts'
import type { VolumeId } from '../../namespace/index.ts'
import type { Peer, PeerId } from '../../peer/index.ts'
import { askOne } from './ask-one.ts'
import { HAS_IDS_MAX } from './circle-limits.ts'
import { decodeHasAnswer, encodeHasRequest } from './has-messages.ts'

/**
 * Asks a holder which of these blocks of a volume it has, and answers in their order. Any number
 * of ids: one question for each `HAS_IDS_MAX` of them, one after the other. Throws what a call
 * throws, `EACCES` when we are no holder in the holder's eyes, and `EBUSY` when we ask too much.
 */
export async function askHas(
  peer: Pick<Peer, 'call'>,
  holder: PeerId,
  volume: VolumeId,
  ids: readonly BlockId[],
  options: { readonly signal?: AbortSignal } = {}
): Promise<boolean[]> {
  const has: boolean[] = []
  for (let start = 0; start < ids.length; start += HAS_IDS_MAX) {
    const some = ids.slice(start, start + HAS_IDS_MAX)
    const answer = await askOne(peer, holder, encodeHasRequest({ volume, ids: some }), options)
    has.push(...decodeHasAnswer(answer, some.length))
  }
  return has
}
