/** Gathers what a check finds: all of it is counted, and so much kept as anyone reads. */
import type { BlockId } from '../../blocks/index.ts'
import type { InodeNumber } from '../../namespace/index.ts'
import { PROBLEMS_MAX, PROBLEMS_PER_FILE } from './check-limits.ts'
import type { ProblemKind } from './check-report.ts'

export interface Problem {
  readonly kind: ProblemKind
  readonly inode?: InodeNumber
  /** Where the name stands that it is about, when `inode` has several or none that count. */
  readonly directory?: InodeNumber
  readonly block?: BlockId
  readonly detail?: string
  readonly repaired?: boolean
}

export class Problems {
  readonly listed: Problem[] = []
  readonly byKind: Partial<Record<ProblemKind, number>> = {}
  found = 0
  repaired = 0
  /** How many are listed of the file that came last, because a file's come one after the other. */
  #ofFile = { inode: undefined as InodeNumber | undefined, count: 0 }

  add(problem: Problem): void {
    const { kind, inode, repaired = false } = problem
    this.found++
    if (repaired) this.repaired++
    this.byKind[kind] = (this.byKind[kind] ?? 0) + 1
    if (inode !== this.#ofFile.inode) this.#ofFile = { inode, count: 0 }
    const count = ++this.#ofFile.count
    if (inode !== undefined && count > PROBLEMS_PER_FILE) return
    if (this.listed.length < PROBLEMS_MAX) this.listed.push(problem)
  }
}
