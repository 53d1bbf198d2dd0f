/**
 * What machines were asked to do and have not done yet. Each call ends: in time, or by an error
 * with a code; only the crash of its machine lets it stay without an end.
 */
import { isWarrenError } from '../../src/errors.ts'
import type { Machine } from './machine.ts'
import { Violation } from './violation.ts'

export type Outcome<Result> = { readonly value: Result } | { readonly code: string }

interface Operation {
  readonly machine: Machine
  readonly what: string
  readonly start: number
  /** Milliseconds that it has been under way while its machine was awake. */
  ageMs: number
}

/** Longer than all deadlines that one call may wait for one after the other, in milliseconds. */
const AGE_MS_MAX = 180_000

/** What may go wrong for a caller when machines and links fail. Everything else is a mistake. */
const CODES_EXPECTED: ReadonlySet<string> = new Set([
  'ENOENT',
  'EHOSTUNREACH',
  'ETIMEDOUT',
  'ECONNRESET',
  'ENOSPC',
  'EBADF',
  'EBUSY',
  'EDQUOT',
  'EACCES',
  'EINVAL'
])

export class Operations {
  readonly #underWay = new Set<Operation>()
  readonly #outcomes = new Map<string, number>()
  #violation: Violation | undefined

  /** How often each kind of call ended with each code, or well. */
  outcomes(): [what: string, count: number][] {
    return [...this.#outcomes].sort(([one], [other]) => (one < other ? -1 : 1))
  }

  countOf(machine: Machine): number {
    let count = 0
    for (const operation of this.#underWay) if (operation.machine === machine) count++
    return count
  }

  /** Calls `ended` unless the machine crashes before. */
  begin<Result>(
    machine: Machine,
    what: string,
    work: () => Promise<Result>,
    ended: (outcome: Outcome<Result>) => void = () => {}
  ): void {
    const operation = { machine, what, start: machine.starts, ageMs: 0 }
    this.#underWay.add(operation)
    const end = (outcome: Outcome<Result>): void => {
      if (!this.#underWay.delete(operation)) return
      const kind = what.split(' ')[0]!
      const key = 'code' in outcome ? `${kind} ${outcome.code}` : kind
      this.#outcomes.set(key, (this.#outcomes.get(key) ?? 0) + 1)
      try {
        ended(outcome)
      } catch (error) {
        this.#violation ??= asViolation(error)
      }
    }
    work().then(
      value => end({ value }),
      (error: unknown) => {
        const code = isWarrenError(error) ? error.code : String(error)
        if (!CODES_EXPECTED.has(code) && this.#underWay.has(operation)) {
          const text = error instanceof Error ? error.stack : String(error)
          this.#violation ??= new Violation(`${machine.name} ${what} failed with ${text}`)
        }
        end({ code })
      }
    )
  }

  /** The machine has crashed: what it was doing has no end. */
  forget(machine: Machine): void {
    for (const operation of this.#underWay) {
      if (operation.machine === machine) this.#underWay.delete(operation)
    }
  }

  /** Time has passed. Throws what was found to be wrong. */
  check(passedMs: number): void {
    if (this.#violation !== undefined) throw this.#violation
    for (const operation of this.#underWay) {
      if (operation.machine.isAsleep) continue
      operation.ageMs += passedMs
      if (operation.ageMs <= AGE_MS_MAX) continue
      const { machine, what } = operation
      throw new Violation(`${machine.name} ${what} has not ended in ${operation.ageMs} ms`)
    }
  }
}

function asViolation(error: unknown): Violation {
  return error instanceof Violation ? error : new Violation(String((error as Error).stack))
}
