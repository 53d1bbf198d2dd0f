/**
 * Finds out, and again every so often, who holds a volume that is read here. The list that was found
 * survives a restart: by then whoever knew it may be gone.
 */
import type { VolumeId } from '../../namespace/index.ts'
import type { Clock, Peer, PeerId } from '../../peer/index.ts'
import { askOne } from '../circle/ask-one.ts'
import { rememberHints } from '../circle/remember-hints.ts'
import { equalBytes } from '../holders/compare-bytes.ts'
import { decodeHolderList } from '../holders/holder-list-record.ts'
import { supersedesHolderList } from '../holders/holder-list-order.ts'
import type { HolderListStore } from '../holders/holder-list-store.ts'
import type { HolderList } from '../holders/holder-list.ts'
import { decodeHoldersAnswer, encodeHoldersRequest } from './holders-messages.ts'

/** Circles change a few times a year, and at first when somebody just set one up. */
export const FIND_PAUSE_MS = 60_000

/** Whoever was asked may not know yet where one is that has just come to it. */
const FIND_SOON_MS = 2_000

/** How often it is asked again so soon. */
const FIND_SOON_ROUNDS = 5

/** How long one of those asked may take, in milliseconds. */
const ASK_MS_MAX = 10_000

/** Asked at a time; any of them will do. */
const ASKED_MAX = 4

/** Holders that are read from. Each may have blocks that the others have not. */
export const HOLDERS_READ_MAX = 64

export interface FindHoldersComponents {
  readonly peer: Pick<Peer, 'id' | 'call' | 'known' | 'remember'>
  readonly clock: Clock
  readonly lists: Pick<HolderListStore, 'get' | 'put' | 'delete'>
}

export interface FindHoldersQuestion {
  readonly volume: VolumeId
  /** Who may know; asked for again each time. */
  readonly sources: () => Iterable<PeerId>
  /** Told whenever a newer list was found, first that of last time: those of its holders to read from. */
  readonly found: (holders: readonly PeerId[]) => void
}

export interface HolderSearch {
  /** Leaves no call or timer behind. */
  end(): void
  /** Ends it, and does not keep what was found: the volume is not read here any more. */
  forget(): Promise<void>
}

/** Begins at once. */
export function findHolders(
  components: FindHoldersComponents,
  { volume, sources, found }: FindHoldersQuestion
): HolderSearch {
  const { clock, peer, lists } = components
  const ending = new AbortController()
  let list: HolderList | undefined
  let cancel = (): void => {}

  const learn = (next: HolderList | undefined): void => {
    if (next === undefined || ending.signal.aborted) return
    list = next
    const holders = list.holders.map(holder => holder.peer).filter(id => id !== peer.id)
    found(holders.slice(0, HOLDERS_READ_MAX))
  }
  const look = async (round: number): Promise<void> => {
    const others = [...sources()].filter(id => id !== peer.id)
    const told = await Promise.all(
      inTurn(others, round).map(from =>
        ask(components, { from, volume, known: list }, ending.signal)
      )
    )
    let newest = list
    for (const next of told) if (next && supersedesHolderList(next, newest)) newest = next
    if (newest === list || newest === undefined) return
    learn(newest)
    if (!ending.signal.aborted) await lists.put(newest)
  }
  const lookAgain = async (round: number): Promise<void> => {
    // What cannot be kept is found again.
    await look(round).catch(() => {})
    if (!ending.signal.aborted) {
      const isSoon = round < FIND_SOON_ROUNDS && isOneMissing(peer, list)
      cancel = clock.after(isSoon ? FIND_SOON_MS : FIND_PAUSE_MS, () => void lookAgain(round + 1))
    }
  }
  const begin = async (): Promise<void> => {
    learn(await lists.get(volume).catch(() => undefined))
    await lookAgain(0)
  }
  const end = (): void => {
    ending.abort()
    cancel()
  }
  void begin()
  return {
    end,
    forget: async () => {
      end()
      await lists.delete(volume)
    }
  }
}

/** Whether there is a holder of whom we do not know where it is. */
function isOneMissing(peer: Pick<Peer, 'id' | 'known'>, list: HolderList | undefined): boolean {
  const found = new Set<PeerId>([peer.id])
  for (const { id, addresses } of peer.known()) if (addresses.length > 0) found.add(id)
  return list?.holders.some(holder => !found.has(holder.peer)) === true
}

/** Those who never answer must not keep us from asking the others. */
function inTurn(peers: readonly PeerId[], round: number): PeerId[] {
  const first = (round * ASKED_MAX) % Math.max(peers.length, 1)
  return [...peers.slice(first), ...peers.slice(0, first)].slice(0, ASKED_MAX)
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
