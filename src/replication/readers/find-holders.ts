/** Finds out, and again every so often, who holds a volume that is read here. */
import type { VolumeId } from '../../namespace/index.ts'
import type { Clock, Peer, PeerId } from '../../peer/index.ts'
import { askOne } from '../circle/ask-one.ts'
import { rememberHints } from '../circle/remember-hints.ts'
import { equalBytes } from '../holders/compare-bytes.ts'
import { decodeHolderList } from '../holders/holder-list-record.ts'
import { supersedesHolderList } from '../holders/holder-list-order.ts'
import type { HolderList } from '../holders/holder-list.ts'
import { decodeHoldersAnswer, encodeHoldersRequest } from './holders-messages.ts'

/** Circles change a few times a year, and at first when somebody just set one up. */
export const FIND_PAUSE_MS = 60_000

/** How long one of those asked may take, in milliseconds. */
const ASK_MS_MAX = 10_000

/** Asked at a time; any of them will do. */
const ASKED_MAX = 4

/** Holders that are read from. Each may have blocks that the others have not. */
export const HOLDERS_READ_MAX = 64

export interface FindHoldersComponents {
  readonly peer: Pick<Peer, 'id' | 'call' | 'remember' | 'connected'>
  readonly clock: Clock
}

export interface FindHoldersQuestion {
  readonly volume: VolumeId
  /** Who may know; asked for again each time. */
  readonly sources: () => Iterable<PeerId>
  /** Told whenever a newer list was found: those of its holders to read from. */
  readonly found: (holders: readonly PeerId[]) => void
}

/** Begins at once. Returns how to stop, which leaves no call or timer behind. */
export function findHolders(
  components: FindHoldersComponents,
  question: FindHoldersQuestion
): () => void {
  const { clock, peer } = components
  const ending = new AbortController()
  let list: HolderList | undefined
  let cancel = (): void => {}

  const look = async (): Promise<void> => {
    const { volume, sources, found } = question
    const asked = [...sources()].filter(id => id !== peer.id).slice(0, ASKED_MAX)
    const lists = await Promise.all(
      asked.map(from => ask(components, { from, volume, known: list }, ending.signal))
    )
    const before = list
    for (const next of lists) if (next && supersedesHolderList(next, list)) list = next
    if (list === undefined || list === before || ending.signal.aborted) return
    const holders = list.holders.map(holder => holder.peer).filter(id => id !== peer.id)
    found(holders.slice(0, HOLDERS_READ_MAX))
  }
  const lookAgain = (): void => {
    void look().finally(() => {
      if (!ending.signal.aborted) cancel = clock.after(FIND_PAUSE_MS, lookAgain)
    })
  }
  lookAgain()
  return () => {
    ending.abort()
    cancel()
  }
}

/** Undefined when it could not be asked, knows nothing or says what cannot be. */
async function ask(
  { peer, clock }: FindHoldersComponents,
  {
    from,
    volume,
    known
  }: {
    readonly from: PeerId
    readonly volume: VolumeId
    readonly known: HolderList | undefined
  },
  ending: AbortSignal
): Promise<HolderList | undefined> {
  const deadline = new AbortController()
  const cancel = clock.after(ASK_MS_MAX, () => deadline.abort())
  const signal = AbortSignal.any([ending, deadline.signal])
  try {
    const request = { body: encodeHoldersRequest(volume) }
    const { list, addresses } = decodeHoldersAnswer(await askOne(peer, from, request, { signal }))
    // Mostly it is the one that was verified before.
    const isKnown = known !== undefined && equalBytes(list, known.bytes)
    const verified = isKnown ? known : await decodeHolderList(list, volume)
    await rememberHints(peer, verified, addresses)
    return verified
  } catch {
    return undefined
  } finally {
    cancel()
  }
}
