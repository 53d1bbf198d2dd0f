/**
 * An entry where its bytes stand. A listing looks at an entry and is done with it; views and objects
 * for each would cost more than all else that it does.
 */
import type { TreeEntry } from './tree.ts'

const NONE = new Uint8Array(0)

/** Shown to a `ReadEntry`, and good only until that returns: the next entry takes its place. */
export class EntryInPlace {
  keyBytes: Uint8Array = NONE
  keyFrom = 0
  keyTo = 0
  valueBytes: Uint8Array = NONE
  valueFrom = 0
  valueTo = 0
}

/** Makes of an entry what its caller wants to have of it. */
export type ReadEntry<Result> = (entry: EntryInPlace) => Result

/** An entry that has bytes of its own, for who reads it in place. */
export function inPlace({ key, value }: Pick<TreeEntry, 'key' | 'value'>): EntryInPlace {
  const place = new EntryInPlace()
  setPlace(place, { key, value })
  return place
}

export function setPlace(
  place: EntryInPlace,
  { key, value }: Pick<TreeEntry, 'key' | 'value'>
): void {
  place.keyBytes = key
  place.keyFrom = 0
  place.keyTo = key.length
  place.valueBytes = value
  place.valueFrom = 0
  place.valueTo = value.length
}
