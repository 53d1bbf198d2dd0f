/** The systems of a run: warren, and those of the others that are wanted and here. */
import type { System } from '../system.ts'
import { fromNpmAll } from './from-npm.ts'
import { rsyncAll } from './rsync.ts'
import { syncthing } from './syncthing.ts'
import { warren } from './warren.ts'

const others: readonly System[] = [...fromNpmAll, syncthing, ...rsyncAll]

/** `wanted` is `all`, `none`, or first words of names with commas between; says which of them are not here. */
export function chooseSystems(wanted: string, say: (line: string) => void): readonly System[] {
  const names = wanted.toLowerCase().split(',')
  const isMeant = (name: string, word: string): boolean =>
    `${name.toLowerCase()} `.startsWith(`${word} `)
  const chosen = others.filter(
    ({ name }) => wanted === 'all' || names.some(word => isMeant(name, word))
  )
  for (const word of names) {
    if (word === 'all' || word === 'none' || others.some(({ name }) => isMeant(name, word)))
      continue
    say(`nothing is called ${word}`)
  }
  const byReason = Map.groupBy(chosen, ({ missing }) => missing)
  for (const [missing, systems] of byReason) {
    if (missing !== undefined)
      say(`without ${systems.map(({ name }) => name).join(', ')}: ${missing}`)
  }
  return [warren, ...chosen.filter(({ missing }) => missing === undefined)]
}
