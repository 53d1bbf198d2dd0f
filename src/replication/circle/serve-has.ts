/** The serving half of `has`: see `has-messages.ts`. */
import type { BlockId } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import type { VolumeId } from '../../namespace/index.ts'
import type { CallHandler, Clock, PeerId } from '../../peer/index.ts'
import { Allowances } from '../allowances.ts'
import { HAS_BURST, HAS_IDS_PER_SECOND } from './circle-limits.ts'
import { decodeHasRequest, encodeHasAnswer } from './has-messages.ts'

export interface ServeHasComponents {
  readonly clock: Pick<Clock, 'now'>
  /** Whether this peer is a holder of the volume, its owner included: `Circles.isHolder`. */
  readonly isHolder: (volume: VolumeId, from: PeerId) => boolean
  /** For each id in order whether we have it for this volume, on disk, to stay. At most `HAS_IDS_MAX` ids. */
  readonly hasBlocks: (
    volume: VolumeId,
    ids: readonly BlockId[],
    options: { readonly signal: AbortSignal }
  ) => Promise<readonly boolean[]>
}

/** The handler of the verb `has`. */
export function createHasHandler(components: ServeHasComponents): CallHandler {
  const { clock, isHolder, hasBlocks } = components
  const allowances = new Allowances(clock, { burst: HAS_BURST, perSecond: HAS_IDS_PER_SECOND })
  return async function* serveHas(request, { from, signal }) {
    const { volume, ids } = decodeHasRequest(request)
    if (!isHolder(volume, from)) {
      throw new WarrenError('EACCES', { message: `${from} does not hold ${volume}` })
    }
    if (!allowances.take(from, ids.length)) {
      throw new WarrenError('EBUSY', { message: `${from} asks about too many blocks` })
    }
    yield encodeHasAnswer(await hasBlocks(volume, ids, { signal }))
  }
}
