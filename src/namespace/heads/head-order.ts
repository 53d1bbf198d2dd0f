/**
 * Which of two heads of one volume counts. Every peer must come to the same answer whatever order
 * it hears them in, or peers would disagree for ever about what a volume holds.
 */
import { blockIdToBytes } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import type { Head } from './head.ts'

/**
 * True when `next` takes the place of `current`: its sequence is larger, or it is the other branch
 * of a fork and the bytes of its root sort first.
 */
export function supersedes(next: Head, current: Head | undefined): boolean {
  if (current === undefined) return true
  if (next.sequence !== current.sequence) return next.sequence > current.sequence
  return compareBytes(blockIdToBytes(next.root), blockIdToBytes(current.root)) < 0
}

/** True when the owner signed two versions under one sequence. */
export function isFork(one: Head, other: Head): boolean {
  return one.sequence === other.sequence && one.root !== other.root
}

/** Head stores only move forwards, so that the newest of several copies always is the right one. */
export function requireNewer(next: Head, current: Head | undefined): void {
  if (supersedes(next, current)) return
  const message = `head ${next.sequence} does not supersede head ${current?.sequence}`
  throw new WarrenError('EINVAL', { message: `${message} of volume ${next.volume}` })
}

function compareBytes(one: Uint8Array, other: Uint8Array): number {
  const length = Math.min(one.length, other.length)
  for (let index = 0; index < length; index++) {
    const difference = one[index]! - other[index]!
    if (difference !== 0) return difference
  }
  return one.length - other.length
}
