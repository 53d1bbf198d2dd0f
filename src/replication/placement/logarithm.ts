/**
 * The natural logarithm with the same last bit everywhere.
 *
 * `Math.log` may differ by a bit between JavaScript engines, and one bit is enough for two holders
 * to disagree about whose a block is. Addition, multiplication and division of doubles are exactly
 * specified, so this uses nothing else.
 */

/** ln 2, and the square root of a half, as the nearest doubles. */
const LN_2 = 0.6931471805599453
const SQRT_HALF = 0.7071067811865476

/**
 * -ln(u) for 0 < u < 1, to about one part in 10^15, also close to 1.
 *
 * u is doubled until it is near 1, which is exact. With s = (m - 1) / (m + 1) then
 * ln(m) = 2 · (s + s³/3 + s⁵/5 + …), where s² stays below 0.0295: the terms end at 10^-17.
 */
export function negativeLogarithm(u: number): number {
  let m = u
  let doublings = 0
  while (m < SQRT_HALF) {
    m += m
    doublings++
  }
  const s = (m - 1) / (m + 1)
  const t = s * s
  let series = 1 / 21
  series = series * t + 1 / 19
  series = series * t + 1 / 17
  series = series * t + 1 / 15
  series = series * t + 1 / 13
  series = series * t + 1 / 11
  series = series * t + 1 / 9
  series = series * t + 1 / 7
  series = series * t + 1 / 5
  series = series * t + 1 / 3
  series = series * t + 1
  return doublings * LN_2 - 2 * s * series
}
