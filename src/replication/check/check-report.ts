/** The contract of a check: what it looks at, and what it says of it. */
import type { BlockId } from '../../blocks/index.ts'
import type { InodeNumber } from '../../namespace/index.ts'

/**
 * Blocks and nodes:
 * - `node-missing`, `node-malformed`: a tree node is not here or damaged; or it is no node, or not one of this place.
 *   What is behind it was not checked.
 * - `block-missing`, `block-damaged`: of a file's content.
 * - `inode-lost`, `content-lost`: a file of which the attributes, or the list of its blocks, are in a node that is missing.
 * - `copies-few`, `copies-many`: fewer or more copies than the policy wants.
 *
 * What stands in the tree:
 * - `record-malformed`: a record that nobody can read.
 * - `entry-dangling`: a name of nothing. `entry-type`: a name that says something else than what it is of.
 * - `entry-stray`, `content-stray`: names or content of what is no directory or no file, or not there.
 * - `inode-orphan`: without a name. `inode-open`: its last name was removed while it was open, and it is not any more.
 * - `orphan-mark`: a note that something is open without a name, of something else.
 * - `links`: a wrong link count. `parent`: a directory that names another as its parent.
 * - `directory-names`: a directory with several names. `directory-cycle`: directories only to be found within each other.
 * - `content`: extents that overlap or reach beyond the end, or blocks of another length than they should have.
 * - `root-missing`: no root directory. `next-inode`: a number would be used again.
 */
export type ProblemKind =
  | 'node-missing'
  | 'node-malformed'
  | 'block-missing'
  | 'block-damaged'
  | 'inode-lost'
  | 'content-lost'
  | 'copies-few'
  | 'copies-many'
  | 'record-malformed'
  | 'entry-dangling'
  | 'entry-type'
  | 'entry-stray'
  | 'content-stray'
  | 'inode-orphan'
  | 'inode-open'
  | 'orphan-mark'
  | 'links'
  | 'parent'
  | 'directory-names'
  | 'directory-cycle'
  | 'content'
  | 'root-missing'
  | 'next-inode'

export interface CheckProblem {
  readonly kind: ProblemKind
  /** In the volume, from `/`; undefined where nothing leads to it. */
  readonly path?: string
  readonly inode?: InodeNumber
  readonly block?: BlockId
  /** In words, for people: what was found and what was expected. */
  readonly detail?: string
  readonly repaired: boolean
}

export interface CheckCounts {
  readonly nodes: number
  readonly nodeBytes: number
  readonly directories: number
  readonly files: number
  readonly symlinks: number
  readonly entries: number
  readonly extents: number
  /** Blocks looked at; one that several files share may count several times. */
  readonly blocks: number
  readonly blockBytes: number
}

export interface CheckReport {
  /** Root of the version that was checked. */
  readonly root: BlockId
  /**
   * False when nodes were missing: then nothing is said of names without inodes, inodes without
   * names and link counts, because they may be in what is missing; nor are they repaired.
   */
  readonly complete: boolean
  readonly counts: CheckCounts
  /** At most `PROBLEMS_MAX`, and of one file at most `PROBLEMS_PER_FILE`. */
  readonly problems: readonly CheckProblem[]
  /** Also those that are not listed. */
  readonly found: number
  readonly repaired: number
  readonly byKind: Readonly<Partial<Record<ProblemKind, number>>>
}

export interface CheckProgress {
  readonly nodes: number
  readonly blocks: number
  readonly bytes: number
  readonly found: number
  readonly repaired: number
}

export interface CheckOptions {
  /**
   * Gets from other holders what is missing or damaged here, corrects counts and parents, and
   * moves what has no name to `/lost+found`. Nothing is removed, neither names nor data. Default false.
   */
  readonly repair?: boolean
  /** Whether blocks of files are read and their hashes checked; false: only whether they are here. Default true. */
  readonly blocks?: boolean
  readonly signal?: AbortSignal
  /** Called ten times a second at most. */
  readonly onProgress?: (progress: CheckProgress) => void
}
