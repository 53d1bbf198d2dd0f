/** Sizes as people write them: `50GB`, `1.5TiB`, `4096`. */
import { UsageError } from './usage-error.ts'

/** By what a number is multiplied. kB and its kin count by thousands, KiB and its kin by 1024. */
const FACTORS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['b', 1],
  ...['k', 'm', 'g', 't', 'p'].flatMap((letter, index): [string, number][] => [
    [`${letter}b`, 1000 ** (index + 1)],
    [`${letter}ib`, 1024 ** (index + 1)]
  ])
])

/** Bytes. `what` names the argument in the error. Throws `UsageError`. */
export function parseSize(text: string, what: string): number {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text.trim()) ?? []
  if (digits === '') throw refused(`${what} ${text}: not a size, as 50GB, 1.5TiB or 4096 are`)
  const factor = FACTORS.get(unit.toLowerCase())
  if (factor === undefined) {
    throw refused(`${what} ${text}: '${unit}' is none of B, kB, MB, GB, TB, PB, KiB, MiB, GiB, …`)
  }
  if (factor === 1 && digits.includes('.')) throw refused(`${what} ${text}: not whole bytes`)
  const bytes = Math.round(Number(digits) * factor)
  if (!Number.isSafeInteger(bytes)) throw refused(`${what} ${text}: more than any disk has`)
  return bytes
}

function refused(message: string): UsageError {
  return new UsageError(message)
}
