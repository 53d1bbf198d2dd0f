/**
 * Which of two lists of one volume counts. Every holder must come to the same answer whatever
 * order it hears them in, or two holders would each think a block is the other's to keep.
 */
import { compareBytes, equalBytes } from './compare-bytes.ts'
import type { HolderList } from './holder-list.ts'
import { contentOf } from './holder-list-record.ts'

/**
 * True when `next` takes the place of `current`: its sequence is larger, or the sequences are equal
 * and its bytes sort first.
 */
export function supersedesHolderList(next: HolderList, current: HolderList | undefined): boolean {
  if (current === undefined) return true
  requireOneVolume(next, current)
  if (next.sequence !== current.sequence) return next.sequence > current.sequence
  return compareBytes(next.bytes, current.bytes) < 0
}

/**
 * True when the owner signed two different lists under one sequence, as happens when the volume's
 * key is used in two places at once. Everybody settles on the same one of them, but what the other
 * one said is lost until the owner signs a list with a larger sequence.
 */
export function isHolderListFork(one: HolderList, other: HolderList): boolean {
  requireOneVolume(one, other)
  return one.sequence === other.sequence && !equalBytes(contentOf(one), contentOf(other))
}

function requireOneVolume(one: HolderList, other: HolderList): void {
  if (one.volume === other.volume) return
  throw new TypeError(`holder lists of ${one.volume} and ${other.volume} have no order`)
}
