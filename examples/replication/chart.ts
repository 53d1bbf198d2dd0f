/**
 * Draws how many copies there are, over time: a line whenever that has changed.
 *
 *       4.5 s  [33333333333333322222]  alice bob --- dave erin   12 MiB to copy
 *
 * Each digit is a twentieth of the bytes, and says how many copies of it there are. Who is silent
 * is `???`, who is given up `---`.
 */
import { mebibytes } from '../demo/story.ts'
import type { StatusFigures } from './holder.ts'

const CELLS = 20

export class Chart {
  readonly #names: readonly string[]
  readonly #startedAt: number
  #drawn = ''

  /** Names are shown in this order. */
  constructor(names: readonly string[], startedAt: number) {
    this.#names = names
    this.#startedAt = startedAt
  }

  /** `nameOf` tells who a peer is. */
  draw(status: StatusFigures, nameOf: (peer: string) => string | undefined): void {
    const presences = new Map(status.holders.map(({ peer, presence }) => [nameOf(peer), presence]))
    const line = [
      copiesBar(status.bytesByCopies),
      this.#names.map(name => shown(name, presences.get(name))).join(' '),
      status.repairingBytes > 0 ? `${mebibytes(status.repairingBytes)} to copy` : ''
    ].join('  ')
    if (line === this.#drawn) return
    this.#drawn = line
    const time = ((performance.now() - this.#startedAt) / 1000).toFixed(1)
    console.log(`   ${time.padStart(5)} s  ${line.trimEnd()}`)
  }
}

type Presence = StatusFigures['holders'][number]['presence']

function shown(name: string, presence: Presence | undefined): string {
  if (presence === 'present') return name
  return (presence === 'absent' ? '?' : '-').repeat(name.length)
}

/** Most copies first. However few bytes have too few copies, they have a cell. */
export function copiesBar(bytesByCopies: readonly number[]): string {
  const shares = [...bytesByCopies.entries()].filter(([, bytes]) => bytes > 0).toReversed()
  const total = shares.reduce((sum, [, bytes]) => sum + bytes, 0)
  const spare = CELLS - shares.length
  const text = shares.map(([copies, bytes]) =>
    String(copies).repeat(1 + Math.floor((bytes / total) * spare))
  )
  const [most = ' '] = text.toSorted((one, other) => other.length - one.length)
  return `[${most[0]!.repeat(Math.max(0, CELLS - text.join('').length))}${text.join('')}]`
}
