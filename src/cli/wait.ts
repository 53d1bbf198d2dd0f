/** How long verbs wait for copies to be made. */
import { parseSeconds } from './settings.ts'

/** Copying takes as long as it takes: a day, the most that can be asked for. */
export const COPYING_MS_MAX: number = 86_400_000

export function parseWait(text: string | undefined, defaultMs: number): number {
  return text === undefined ? defaultMs : parseSeconds('wait', text)
}
