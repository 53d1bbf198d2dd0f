/** The order of keys: bytewise, unsigned, a prefix before what it begins. */

export const EMPTY_KEY: Uint8Array = new Uint8Array(0)

/** Negative, zero or positive as `left` sorts before, with or after `right`. */
export function compareKeys(left: Uint8Array, right: Uint8Array): number {
  const length = left.length < right.length ? left.length : right.length
  for (let index = 0; index < length; index++) {
    const difference = (left[index] as number) - (right[index] as number)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && compareKeys(left, right) === 0
}

/** The very next key there can be. */
export function keyAfter(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
}

/**
 * The shortest key that sorts after `left` and not after `right`: what an inner node needs to
 * tell them apart. Shorter than `right` nearly always, so inner nodes have more children.
 */
export function separatorBetween(left: Uint8Array, right: Uint8Array): Uint8Array {
  let shared = 0
  while (shared < left.length && left[shared] === right[shared]) shared++
  return right.slice(0, shared + 1)
}
