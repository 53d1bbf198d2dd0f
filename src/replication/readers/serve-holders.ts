/** The answering half of `holders`: see `holders-messages.ts`. */
import { WarrenError } from '../../errors.ts'
import type { VolumeId } from '../../namespace/index.ts'
import type { CallHandler, Clock, PeerId } from '../../peer/index.ts'
import { Allowances } from '../allowances.ts'
import type { AddressesOf } from '../circle/address-book.ts'
import type { HolderList } from '../holders/holder-list.ts'
import { encodeHoldersAnswer, decodeHoldersRequest } from './holders-messages.ts'

/** A reader of many volumes asks for each, once a minute; an answer may have 256 KiB. */
const QUESTIONS_BURST = 256
const QUESTIONS_PER_SECOND = 4

export interface ServeHoldersComponents {
  readonly clock: Pick<Clock, 'now'>
  readonly addressesOf: AddressesOf
  readonly listOf: (volume: VolumeId) => HolderList | undefined
  readonly mayRead: (volume: VolumeId, from: PeerId) => boolean
}

export function createHoldersHandler(components: ServeHoldersComponents): CallHandler {
  const { clock, addressesOf, listOf, mayRead } = components
  const allowances = new Allowances(clock, {
    burst: QUESTIONS_BURST,
    perSecond: QUESTIONS_PER_SECOND
  })
  return async function* serveHolders({ body }, { from }) {
    const volume = decodeHoldersRequest(body)
    if (!allowances.take(from, 1)) {
      throw new WarrenError('EBUSY', { message: `${from} asks too often` })
    }
    const list = mayRead(volume, from) ? listOf(volume) : undefined
    if (list === undefined) throw new WarrenError('ENOENT', { message: 'no list of that volume' })
    const addresses = list.holders.map(({ peer }) => [peer, addressesOf(peer)] as const)
    const known = new Map(addresses.filter(([, own]) => own.length > 0))
    yield { body: encodeHoldersAnswer({ list: list.bytes, addresses: known }) }
  }
}
