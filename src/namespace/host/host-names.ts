/**
 * The names in a directory of the host, in the order of our directories, so that the two can be
 * compared side by side without either in memory as a set.
 */
import { opendirSync, readdirSync } from 'node:fs'
import type { Slices } from './slices.ts'

/** Entries that one call of the operating system hands over. */
const NAMES_AT_ONCE = 256

/** So many names are sorted in a millisecond or two; more are sorted in runs, then merged. */
const RUN_NAMES = 4_096

/** What stands in a decoded name where its bytes were not UTF-8. */
const REPLACEMENT = '\uFFFD'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export interface HostNames {
  /** In byte order of their UTF-8. */
  readonly names: readonly string[]
  /** As the host shows them; they cannot be names of ours. */
  readonly notUtf8: readonly string[]
}

/** Throws what the host throws. */
export async function readNames(hostPath: string, slices: Slices): Promise<HostNames> {
  const names: string[] = []
  let mayBeDamaged = false
  const directory = opendirSync(hostPath, { bufferSize: NAMES_AT_ONCE })
  try {
    for (let next = directory.readSync(); next !== null; next = directory.readSync()) {
      names.push(next.name)
      mayBeDamaged ||= next.name.includes(REPLACEMENT)
      if (names.length % NAMES_AT_ONCE === 0) await slices.share()
    }
  } finally {
    directory.closeSync()
  }
  if (!mayBeDamaged) return { names: await sortNames(names, slices), notUtf8: [] }
  const { good, bad } = readRawNames(hostPath)
  return { names: await sortNames(good, slices), notUtf8: bad }
}

/** Orders names as their UTF-8 bytes are ordered. */
export function compareNames(one: string, other: string): number {
  const end = Math.min(one.length, other.length)
  for (let index = 0; index < end; index++) {
    const a = one.charCodeAt(index)
    const b = other.charCodeAt(index)
    if (a !== b) return ranked(a) - ranked(b)
  }
  return one.length - other.length
}

export async function sortNames(names: string[], slices: Slices): Promise<string[]> {
  let runs: string[][] = []
  for (let from = 0; from < names.length; from += RUN_NAMES) {
    runs.push(names.slice(from, from + RUN_NAMES).sort(compareNames))
    await slices.share()
  }
  while (runs.length > 1) {
    const merged: string[][] = []
    for (let index = 0; index < runs.length; index += 2) {
      merged.push(await mergeRuns(runs[index]!, runs[index + 1] ?? [], slices))
    }
    runs = merged
  }
  return runs[0] ?? []
}

async function mergeRuns(
  one: readonly string[],
  other: readonly string[],
  slices: Slices
): Promise<string[]> {
  const merged: string[] = []
  let a = 0
  let b = 0
  while (a < one.length || b < other.length) {
    const first =
      b === other.length || (a < one.length && compareNames(one[a]!, other[b]!) <= 0)
        ? one[a++]!
        : other[b++]!
    merged.push(first)
    if (merged.length % RUN_NAMES === 0) await slices.share()
  }
  return merged
}

/** Rare enough to be read in one go. */
function readRawNames(hostPath: string): { readonly good: string[]; readonly bad: string[] } {
  const good: string[] = []
  const bad: string[] = []
  for (const raw of readdirSync(hostPath, { encoding: 'buffer' })) {
    try {
      good.push(decoder.decode(raw))
    } catch {
      bad.push(raw.toString('utf8'))
    }
  }
  return { good, bad }
}

/** Surrogates stand for what comes after every single unit. */
function ranked(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800
  return unit >= 0xd800 ? unit + 0x2000 : unit
}
