/** What a simulation ends with when something is not as it must be. */
export class Violation extends Error {
  override readonly name = 'Violation'
}

export function require(isRight: boolean, message: () => string): asserts isRight {
  if (!isRight) throw new Violation(message())
}
