/** Warren's figures beside the floors that bound them and the same figures of other systems. */
import { timesAsGood } from './figures.ts'
import type { Figure } from './figures.ts'
import { OURS } from './system.ts'

export interface Comparison {
  readonly group: string
  readonly figure: string
  readonly to: string
  /** How many times as good warren is: 2 is twice the rate, or half the time. */
  readonly times: number
}

/** Which floors bound a figure; each is looked for in what was measured. */
const FLOORS: readonly (readonly [figure: string, floors: readonly string[]])[] = [
  [
    'W1 bulk',
    [
      'noise memory to memory',
      'our noise memory to memory',
      'tcp memory to memory',
      'plain writes of 1 MiB'
    ]
  ],
  [
    'W3 one at a time, p50',
    [
      '64 KiB request over an open stream, noise, p50',
      '64 KiB request over an open stream, our noise, p50'
    ]
  ],
  [
    'W3 16 at once',
    ['64 KiB requests, 16 at once, noise', '64 KiB requests, 16 at once, our noise']
  ],
  [
    'W4 first byte',
    ['connect, negotiate, first 64 KiB, noise', 'connect, negotiate, first 64 KiB, our noise']
  ],
  ['W5 file, copied', ['sha256 of 1024 KiB', 'plain writes of 1 MiB']],
  ['W5 file, in place', ['sha256 of 1024 KiB']]
]

/** The floors of a figure, under its group, and named as floors. */
export function floorsOf(of: Figure, all: readonly Figure[]): Figure[] {
  const names = FLOORS.find(([name]) => name === `${of.group} ${of.figure}`)?.[1] ?? []
  return all.filter(({ group, figure }) => group === 'floors' && names.includes(figure))
}

/** The same figure of the other systems. */
export function othersOf(of: Figure, all: readonly Figure[]): Figure[] {
  return all.filter(
    ({ group, figure, system }) =>
      group === of.group && figure === of.figure && system !== of.system
  )
}

export function compare(all: readonly Figure[]): Comparison[] {
  const ours = all.filter(({ group, system }) => group !== 'floors' && system === OURS)
  return ours.flatMap(our => {
    const { group, figure } = our
    const floors = floorsOf(our, all).map(floor => ({ to: `floor: ${floor.figure}`, floor }))
    const others = othersOf(our, all).map(other => ({ to: other.system, floor: other }))
    return [...floors, ...others].map(({ to, floor }) => {
      return { group, figure, to, times: timesAsGood(our, floor) }
    })
  })
}
