/** Chance from a seed: everything that a simulation leaves to chance is drawn from here. */
import { createRandom } from '../warren/tree-model.ts'

export class SeededRandom {
  /** From 0 up to 1. */
  readonly next: () => number

  constructor(seed: number) {
    this.next = createRandom(seed)
  }

  /** A whole number from 0 up to, and not, `count`. */
  below(count: number): number {
    return Math.floor(this.next() * count)
  }

  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[this.below(items.length)]
  }

  /** One of the names, each as likely as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const entries = Object.entries<number>(weights)
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [name, weight] of entries) {
      left -= weight
      if (left < 0) return name as Name
    }
    return entries[0]![0] as Name
  }

  fill(bytes: Uint8Array): void {
    for (let index = 0; index < bytes.length; index++) bytes[index] = this.below(256)
  }

  /** Another one, whose draws do not change what this one draws next. */
  fork(): SeededRandom {
    return new SeededRandom(this.below(2 ** 31))
  }
}
