/** What a full run is to reach, judged against the floors and the systems of the same run. */
import { median } from './figures.ts'
import type { Figure } from './figures.ts'
import { OURS } from './system.ts'
import { show, textOf } from './tables.ts'

/** Of either side, on every workload. */
const PEAK_RSS_MIB_MAX = 250

export interface Aim {
  readonly aim: string
  readonly reached: number
  readonly needed: number
  readonly isMet: boolean
}

export function judge(all: readonly Figure[]): Aim[] {
  const value = (group: string, figure: string, system = OURS): number => {
    const found = all.find(
      one => one.group === group && one.figure === figure && one.system === system
    )
    return median(found?.values ?? [])
  }
  const floor = (figure: string): number => value('floors', figure, 'floor')
  const atLeast = (aim: string, reached: number, needed: number): Aim => {
    return { aim, reached, needed, isMet: reached >= needed }
  }
  const atMost = (aim: string, reached: number, needed: number): Aim => {
    return { aim, reached, needed, isMet: reached <= needed }
  }
  const [bulk, small] = [value('W1', 'bulk'), value('W2', 'small files')]
  const [one, many] = [value('W3', 'one at a time, p50'), value('W3', '16 at once')]
  const request = floor('64 KiB request over an open stream, noise, p50')
  const requests = floor('64 KiB requests, 16 at once, noise')
  const listed = 'list 10000 with attributes'
  const aims = [
    atLeast('W1 ≥ 0.8 × noise, MiB/s', bulk, 0.8 * floor('noise memory to memory')),
    atLeast('W1 ≥ 1.5 × WebTorrent, MiB/s', bulk, 1.5 * value('W1', 'bulk', 'WebTorrent')),
    atLeast(
      'W2 ≥ 1.3 × WebTorrent, files/s',
      small,
      1.3 * value('W2', 'small files', 'WebTorrent')
    ),
    atMost('W3 p50 ≤ 2 × one request, ms', one, 2 * request),
    atLeast('W3 16 at once ≥ 0.6 × requests, ops/s', many, 0.6 * requests),
    atMost(
      'W4 first byte ≤ connect + 5, ms',
      value('W4', 'first byte'),
      floor('connect, negotiate, first 64 KiB, noise') + 5
    ),
    atMost('W4 list, cold, ms', value('W4', `${listed}, cold`), 150),
    atMost('W4 list, warm, ms', value('W4', `${listed}, warm`), 20),
    atLeast('W5 file, copied, MiB/s', value('W5', 'file, copied'), 500),
    atLeast('W5 file, in place, MiB/s', value('W5', 'file, in place'), 841),
    atLeast('W5 tree, in place, files/s', value('W5', 'tree, in place'), 13_800),
    atLeast(
      'W6 while a holder catches up ≥ 0.7 × alone, MiB/s',
      value('W6', 'bulk, while a holder catches up'),
      0.7 * value('W6', 'bulk, alone')
    ),
    atMost('peak RSS of either side, MiB', peakRssMiB(all), PEAK_RSS_MIB_MAX)
  ]
  return aims.filter(({ reached, needed }) => Number.isFinite(reached) && Number.isFinite(needed))
}

function peakRssMiB(all: readonly Figure[]): number {
  const ours = all.filter(({ system }) => system === OURS).flatMap(({ usage }) => usage)
  return Math.max(...ours.flatMap(({ a, b }) => [a.peakRssMiB, b.peakRssMiB]))
}

export function aimsText(aims: readonly Aim[]): string {
  const rows = aims.map(({ aim, reached, needed, isMet }) => {
    return [aim, show(reached), show(needed), isMet ? 'met' : 'missed']
  })
  return textOf([['aim', 'reached', 'needed', ''], ...rows])
}
