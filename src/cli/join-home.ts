/**
 * The peer of a verb that looks after copies: the one that runs in this process already, where
 * there is one (see `control.ts`), and otherwise one that is opened for the verb and stopped after it.
 */
import type { Warren } from '../index.ts'
import { openHomeForOthers, openHomeOffline } from './open-warren.ts'
import type { Settings } from './settings.ts'

export interface JoinedHome extends AsyncDisposable {
  readonly warren: Warren
  /** It was there before the verb, and goes on after it. */
  readonly runs: boolean
}

/** With `offline` it does without the network, unless it runs already. */
export async function joinHome(
  settings: Settings,
  { offline = false }: { readonly offline?: boolean } = {}
): Promise<JoinedHome> {
  if (settings.home !== undefined) {
    return { warren: settings.home, runs: true, [Symbol.asyncDispose]: async () => {} }
  }
  // Holders come to us as well as we go to them, so that we are where we were before.
  const warren = await (offline ? openHomeOffline(settings) : openHomeForOthers(settings))
  return { warren, runs: false, [Symbol.asyncDispose]: () => warren.stop() }
}
