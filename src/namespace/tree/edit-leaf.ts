/** Makes the changes that fall into one leaf. */
import { equalBytes } from './keys.ts'
import type { Leaf, LeafEntry } from './leaf.ts'
import { entryBytes } from './leaf.ts'
import { Link } from './link.ts'
import type { LeafContent } from './pieces.ts'
import type { Change } from './tree.ts'

/** Changes from, inclusive, to, exclusive. */
export interface Run {
  readonly from: number
  readonly to: number
}

/** Up to so many edits of a leaf are made on a copy of it, more by merging: where one overtakes the other. */
const SPLICES_MAX = 16

/** The leaf's entries with the changes of a run; undefined when they change nothing. */
export function editedLeaf(
  leaf: Leaf,
  changes: readonly Change[],
  run: Run
): LeafContent | undefined {
  const edits = editsOf(leaf, changes, run)
  const last = edits.at(-1)
  if (last === undefined) return undefined
  let { contentBytes } = leaf
  let grown = 0
  for (const { before, after } of edits) {
    contentBytes +=
      (after === undefined ? 0 : entryBytes(after)) -
      (before === undefined ? 0 : entryBytes(before))
    grown += (after === undefined ? 0 : 1) - (before === undefined ? 0 : 1)
  }
  const changedTo = last.at + grown + (last.before === undefined ? 0 : 1)
  const entries = edits.length <= SPLICES_MAX ? spliced(leaf, edits) : merged(leaf, edits)
  return { entries, contentBytes, changedTo }
}

/** An entry that goes, comes, or is replaced, at a position of the leaf as it was. */
interface Edit {
  readonly at: number
  readonly before: LeafEntry | undefined
  readonly after: LeafEntry | undefined
}

function editsOf(leaf: Leaf, changes: readonly Change[], { from, to }: Run): Edit[] {
  const edits: Edit[] = []
  for (let index = from; index < to; index++) {
    const change = changes[index] as Change
    const at = leaf.position(change.key)
    const present = at < leaf.count && leaf.compare(at, change.key) === 0
    const before = present ? leaf.entry(at) : undefined
    const after = entryOf(change)
    if (!sameEntry(before, after)) edits.push({ at, before, after })
  }
  return edits
}

/** For a few edits: a copy of the whole list, and a move of its end for each. */
function spliced(leaf: Leaf, edits: readonly Edit[]): LeafEntry[] {
  const entries = [...leaf.entries()]
  for (const { at, before, after } of edits.toReversed()) {
    if (before !== undefined && after !== undefined) entries[at] = after
    else if (after !== undefined) entries.splice(at, 0, after)
    else entries.splice(at, 1)
  }
  return entries
}

/** For many edits: entry by entry, once. */
function merged(leaf: Leaf, edits: readonly Edit[]): LeafEntry[] {
  const old = leaf.entries()
  const entries: LeafEntry[] = []
  let done = 0
  for (const { at, before, after } of edits) {
    for (; done < at; done++) entries.push(old[done] as LeafEntry)
    if (before !== undefined) done++
    if (after !== undefined) entries.push(after)
  }
  for (; done < old.length; done++) entries.push(old[done] as LeafEntry)
  return entries
}

function entryOf({ key, value, link }: Change): LeafEntry | undefined {
  if (value === undefined) return undefined
  return { key, value, link: link === undefined ? undefined : Link.fromId(link) }
}

function sameEntry(before: LeafEntry | undefined, after: LeafEntry | undefined): boolean {
  if (before === undefined || after === undefined) return before === after
  if (before.link === undefined || after.link === undefined) {
    if (before.link !== after.link) return false
  } else if (!before.link.equals(after.link)) {
    return false
  }
  return equalBytes(before.value, after.value)
}
