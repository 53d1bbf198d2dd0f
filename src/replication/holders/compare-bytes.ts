/** The order of byte strings: bytewise, unsigned, the shorter first. */

/** Below zero, zero or above it, as `one` comes before, with or after `other`. */
export function compareBytes(one: Uint8Array, other: Uint8Array): number {
  const length = Math.min(one.length, other.length)
  for (let index = 0; index < length; index++) {
    const difference = one[index]! - other[index]!
    if (difference !== 0) return difference
  }
  return one.length - other.length
}

export function equalBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && compareBytes(one, other) === 0
}
