/**
 * What a volume should hold: its states, one after each change, in order. After a crash it holds
 * one of those since the last that was reported durable; another peer sees one that is no older
 * than what it saw before.
 */

/** What each path is: `/`, or length and hash of a file. */
export type TreeState = ReadonlyMap<string, string>

export class VolumeHistory {
  /** The first that is still remembered has this number. */
  #first = 0
  #states: TreeState[]
  /** Number of the newest state that was reported durable. */
  durable = 0
  /** Number of the newest state whose change has ended. */
  settled = 0

  constructor(state: TreeState = new Map()) {
    this.#states = [state]
  }

  get newest(): TreeState {
    return this.#states.at(-1)!
  }

  get newestNumber(): number {
    return this.#first + this.#states.length - 1
  }

  /** These come about one after the other, the last one when the change has ended. Returns its number. */
  push(...states: TreeState[]): number {
    this.#states.push(...states)
    while (this.#states.length > STATES_MAX) {
      this.#states.shift()
      this.#first++
    }
    return this.newestNumber
  }

  /** The number of the first state, at or after another one, that is as was seen. */
  find(from: number, isSeen: (state: TreeState) => boolean): number | undefined {
    const begin = Math.max(0, from - this.#first)
    for (let index = begin; index < this.#states.length; index++) {
      if (isSeen(this.#states[index]!)) return this.#first + index
    }
    return undefined
  }

  /** A crash, or a change that failed, left it in this state; everything after it is over. */
  returnTo(state: TreeState): void {
    this.settled = this.push(state)
  }
}

/** More than changes between two looks of one reader. */
const STATES_MAX = 4000

export function isSameState(one: TreeState, other: TreeState): boolean {
  if (one.size !== other.size) return false
  for (const [path, content] of one) if (other.get(path) !== content) return false
  return true
}

/** As `describeTree` tells it. */
export function stateFromLines(lines: readonly string[]): TreeState {
  return new Map(
    lines.map(line => {
      if (line.endsWith('/')) return [line.slice(0, -1), '/']
      const at = line.lastIndexOf(' ')
      return [line.slice(0, at), line.slice(at + 1)]
    })
  )
}
