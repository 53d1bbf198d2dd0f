/**
 * Names the differences between two versions of a directory. Entries say their own names; of a
 * changed file only the inode is known, and its name has to be found.
 */
import type { Difference } from '../tree/tree.ts'
import { inodeOf, kindOf, nameOf } from '../volume/keys.ts'
import { decodeEntry } from '../volume/records.ts'
import type { Inode, InodeNumber, Snapshot } from '../volume/volume.ts'
import { ROOT_INODE } from '../volume/volume.ts'
import type { WatchEvent } from './file-system.ts'
import { expectChild } from './list-entries.ts'
import type { Place } from './resolve.ts'

/** Names remembered of inodes, so that a file that changes often is searched for once. */
const NAMES_MAX = 100_000

/** A directory tree deeper than this is not real. */
const DEPTH_MAX = 4096

interface Versions {
  readonly before: Snapshot
  readonly after: Snapshot
}

interface KnownName {
  readonly directory: InodeNumber
  readonly name: string
}

/** Inodes that changed between two versions, of which is remembered that they did. */
const INODES_MAX = 100_000

export class WatchedTree {
  readonly #root: InodeNumber
  readonly #ownName: string
  readonly #isDirectory: boolean
  readonly #recursive: boolean
  readonly #names = new Map<InodeNumber, KnownName>()
  /** Inodes that were looked for and are not below the root. */
  readonly #outside = new Set<InodeNumber>()
  #before: Snapshot
  #gone = false

  constructor(place: Place, recursive: boolean) {
    this.#root = place.inode.number
    this.#ownName = place.path.slice(place.path.lastIndexOf('/') + 1)
    this.#isDirectory = place.inode.type === 'directory'
    this.#recursive = recursive
    this.#before = place.snapshot
  }

  /** True when what was watched has been removed. */
  get isGone(): boolean {
    return this.#gone
  }

  /** What changed since the last call. Ends with an overflow when there is more than `max`. */
  async changes(after: Snapshot, max: number): Promise<WatchEvent[]> {
    const before = this.#before
    this.#before = after
    if (before.tree === after.tree) return []
    const events: WatchEvent[] = []
    const inodes = new Set<InodeNumber>()
    const directories = new Map<InodeNumber, string | undefined>()
    for await (const difference of after.tree.differences(before.tree)) {
      const kind = kindOf(difference.key)
      if (kind === 'other') continue
      const number = inodeOf(difference.key)
      if (kind !== 'entry') inodes.add(number)
      else {
        const name = nameOf(difference.key)
        if (!this.#noteEntry(difference, { directory: number, name })) continue
        if (!directories.has(number)) {
          directories.set(number, await this.#pathThen(number, { before, after }))
        }
        const path = directories.get(number)
        if (path !== undefined) events.push({ eventType: 'rename', filename: path + name })
      }
      if (events.length > max || inodes.size > INODES_MAX) return overflow(events, max)
    }
    for (const filename of await this.#changedNames(inodes, { before, after })) {
      events.push({ eventType: 'change', filename })
    }
    if ((await after.inode(this.#root)) === undefined) {
      this.#gone = true
      events.push({ eventType: 'rename', filename: this.#ownName })
    }
    return events.length > max ? overflow(events, max) : events
  }

  async #changedNames(inodes: Set<InodeNumber>, { before, after }: Versions): Promise<string[]> {
    for (const number of inodes) {
      const [old, now] = [await before.inode(number), await after.inode(number)]
      if (old === undefined || now === undefined || !isWorthTelling(old, now)) inodes.delete(number)
    }
    return await this.#namesOf(inodes, after)
  }

  /** Where a directory is, or was when it is gone. */
  async #pathThen(number: InodeNumber, { before, after }: Versions): Promise<string | undefined> {
    return (await this.#pathOf(number, after)) ?? (await this.#pathOf(number, before))
  }

  /** Remembers where an inode is now. True when the name appeared, disappeared or was given away. */
  #noteEntry({ before, after }: Difference, entry: KnownName): boolean {
    const now = after && decodeEntry(after).inode
    if (now !== undefined) {
      this.#remember(now, entry)
      this.#outside.delete(now)
    }
    return now !== (before && decodeEntry(before).inode)
  }

  /** Names of changed inodes relative to the root, of those that are below it. */
  async #namesOf(inodes: ReadonlySet<InodeNumber>, snapshot: Snapshot): Promise<string[]> {
    if (!this.#isDirectory) return inodes.has(this.#root) ? [this.#ownName] : []
    const found: string[] = []
    const wanted = new Set<InodeNumber>()
    for (const number of inodes) {
      if (number === this.#root || this.#outside.has(number)) continue
      const name = await this.#knownName(number, snapshot)
      if (name === undefined) wanted.add(number)
      else found.push(name)
    }
    if (wanted.size > 0)
      await this.#search({ directory: this.#root, path: '' }, wanted, { snapshot, found })
    if (this.#outside.size + wanted.size > NAMES_MAX) this.#outside.clear()
    for (const number of wanted) this.#outside.add(number)
    return found
  }

  async #knownName(number: InodeNumber, snapshot: Snapshot): Promise<string | undefined> {
    const known = this.#names.get(number)
    if (known === undefined) return undefined
    const entry = await snapshot.lookup(known.directory, known.name)
    if (entry?.inode !== number) return undefined
    const path = await this.#pathOf(known.directory, snapshot)
    return path === undefined ? undefined : path + known.name
  }

  /** Goes through the tree until every wanted inode has a name. */
  async #search(
    { directory, path }: { readonly directory: InodeNumber; readonly path: string },
    wanted: Set<InodeNumber>,
    context: { readonly snapshot: Snapshot; readonly found: string[] }
  ): Promise<void> {
    const below: { directory: InodeNumber; path: string }[] = []
    for await (const batch of context.snapshot.entries(directory)) {
      for (const { name, inode, type } of batch) {
        this.#remember(inode, { directory, name })
        if (wanted.delete(inode)) context.found.push(path + name)
        if (type === 'directory') below.push({ directory: inode, path: `${path}${name}/` })
      }
      if (wanted.size === 0) return
    }
    if (!this.#recursive) return
    for (const next of below) {
      await expectChild(context.snapshot, { directory, child: next.directory })
      await this.#search(next, wanted, context)
      if (wanted.size === 0) return
    }
  }

  #remember(number: InodeNumber, name: KnownName): void {
    if (this.#names.size >= NAMES_MAX) this.#names.clear()
    this.#names.set(number, name)
  }

  /** The path of a directory below the root with a slash at its end; '' for the root itself. */
  async #pathOf(directory: InodeNumber, snapshot: Snapshot): Promise<string | undefined> {
    if (!this.#isDirectory) return undefined
    let path = ''
    let at = directory
    for (let depth = 0; depth < DEPTH_MAX; depth++) {
      if (at === this.#root) return path
      if (!this.#recursive || at === ROOT_INODE) return undefined
      const parent = (await snapshot.inode(at))?.parent as InodeNumber | undefined
      if (parent === undefined) return undefined
      const name = await this.#nameIn(parent, at, snapshot)
      if (name === undefined) return undefined
      path = `${name}/${path}`
      at = parent
    }
    return undefined
  }

  async #nameIn(
    directory: InodeNumber,
    inode: InodeNumber,
    snapshot: Snapshot
  ): Promise<string | undefined> {
    const known = this.#names.get(inode)
    if (known?.directory === directory) {
      const entry = await snapshot.lookup(directory, known.name)
      if (entry?.inode === inode) return known.name
    }
    for await (const batch of snapshot.entries(directory)) {
      const entry = batch.find(entry => entry.inode === inode)
      if (entry === undefined) continue
      this.#remember(inode, { directory, name: entry.name })
      return entry.name
    }
    return undefined
  }
}

/** A directory's times change with its entries, which are told by themselves. */
function isWorthTelling(before: Inode, after: Inode): boolean {
  if (after.type !== 'directory') return true
  return before.mode !== after.mode || before.uid !== after.uid || before.gid !== after.gid
}

function overflow(events: readonly WatchEvent[], max: number): WatchEvent[] {
  return [...events.slice(0, max), { eventType: 'overflow', filename: null }]
}
