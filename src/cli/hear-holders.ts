/** A peer that has just been started has not heard of anybody: it waits until it has. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Replication } from '../index.ts'

/** Who is there has answered by then; a person waits for the table meanwhile. In milliseconds. */
export const HEAR_MS = 5_000

const LOOK_MS = 50

/** Until every holder has said how far it is, or for this long. */
export async function hearHolders(
  replication: Pick<Replication, 'holders'>,
  waitMs: number,
  signal: AbortSignal
): Promise<void> {
  const deadline = performance.now() + waitMs
  const isSilent = (): boolean =>
    replication.holders().some(({ owner, progress }) => !owner && progress === undefined)
  while (isSilent() && performance.now() < deadline) await sleep(LOOK_MS, undefined, { signal })
}
