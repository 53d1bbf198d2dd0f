/** The systems of a run: warren, and those of the others that are wanted and here. */
import type { System } from '../system.ts'
import { fromNpmAll } from './from-npm.ts'
import { warren } from './warren.ts'

const others: readonly System[] = [...fromNpmAll]

/** `wanted` is `all`, `none`, or names with commas between; says which of them are not here. */
export function chooseSystems(wanted: string, say: (line: string) => void): readonly System[] {
  const names = wanted.toLowerCase().split(',')
  const chosen = others.filter(({ name }) => wanted === 'all' || names.includes(name.toLowerCase()))
  for (const { name, missing } of chosen) {
    if (missing !== undefined) say(`without ${name}, ${missing}`)
  }
  return [warren, ...chosen.filter(({ missing }) => missing === undefined)]
}
