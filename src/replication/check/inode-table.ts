/**
 * What a check remembers of every inode and of every name: 42 bytes an inode and 9 a name, so a
 * million files take some 51 MB. Inodes come in ascending order, as they stand in the tree.
 */
import type { Inode, InodeNumber, InodeType } from '../../namespace/index.ts'
import { float64Column, uint32Column, uint8Column } from './columns.ts'

const TYPES: readonly (InodeType | undefined)[] = [undefined, 'file', 'directory', 'symlink']

/** Its last name was removed, or it never had one, and the volume says that it is open. */
const MARKED = 1

const LINKS_MAX = 2 ** 32 - 1

export class InodeTable {
  count = 0
  readonly #numbers = float64Column()
  readonly #parents = float64Column()
  readonly #sizes = float64Column()
  readonly #namedIn = float64Column()
  readonly #links = uint32Column()
  readonly #names = uint32Column()
  readonly #types = uint8Column()
  readonly #flags = uint8Column()

  /** Gives its row. Of one whose record cannot be read only the number is known. */
  add(number: InodeNumber, inode: Inode | undefined): number {
    const row = this.count++
    this.#numbers.set(row, number)
    this.#types.set(row, Math.max(0, TYPES.indexOf(inode?.type)))
    this.#parents.set(row, inode?.parent ?? 0)
    this.#sizes.set(row, inode?.type === 'file' ? inode.size : 0)
    this.#links.set(row, Math.min(inode?.links ?? 0, LINKS_MAX))
    return row
  }

  /** The row of a number, looked for at and after `near` first; -1 when there is none. */
  find(number: number, near = 0): number {
    if (this.#numbers.get(near) === number && near < this.count) return near
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#numbers.get(middle) < number) low = middle + 1
      else high = middle
    }
    return low < this.count && this.#numbers.get(low) === number ? low : -1
  }

  /** The first row whose number is not below this one. */
  rowFrom(number: number): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#numbers.get(middle) < number) low = middle + 1
      else high = middle
    }
    return low
  }

  number(row: number): InodeNumber {
    return this.#numbers.get(row) as InodeNumber
  }

  /** Undefined: its record cannot be read. */
  type(row: number): InodeType | undefined {
    return TYPES[this.#types.get(row)]
  }

  parent(row: number): number {
    return this.#parents.get(row)
  }

  size(row: number): number {
    return this.#sizes.get(row)
  }

  links(row: number): number {
    return this.#links.get(row)
  }

  /** Names found that point here. */
  names(row: number): number {
    return this.#names.get(row)
  }

  /** Directories found in it; of what is no directory it means nothing. */
  subdirectories(row: number): number {
    return this.#sizes.get(row)
  }

  /** A directory that has a name of it; 0: none has. */
  namedIn(row: number): InodeNumber {
    return this.#namedIn.get(row) as InodeNumber
  }

  addName(row: number, directory: InodeNumber): void {
    this.#names.add(row, 1)
    // Of several names of a directory the one in its parent is the one that counts.
    if (this.namedIn(row) === 0 || this.parent(row) === directory) {
      this.#namedIn.set(row, directory)
    }
  }

  addSubdirectory(row: number): void {
    this.#sizes.add(row, 1)
  }

  isMarked(row: number): boolean {
    return (this.#flags.get(row) & MARKED) !== 0
  }

  mark(row: number): void {
    this.#flags.set(row, MARKED)
  }
}

/** The names of all directories, without the names: which inode each is of. */
export class EntryTable {
  count = 0
  readonly #targets = float64Column()
  readonly #types = uint8Column()
  /** Directories one after the other, and where the entries of each begin. */
  directories = 0
  readonly #directories = float64Column()
  readonly #begins = uint32Column()

  add(directory: InodeNumber, { inode, type }: { inode: InodeNumber; type: InodeType }): void {
    const last = this.directories - 1
    if (last < 0 || this.#directories.get(last) !== directory) {
      this.#directories.set(this.directories, directory)
      this.#begins.set(this.directories++, this.count)
    }
    this.#targets.set(this.count, inode)
    this.#types.set(this.count++, TYPES.indexOf(type))
  }

  directory(index: number): InodeNumber {
    return this.#directories.get(index) as InodeNumber
  }

  *entriesOf(index: number): Generator<{ target: InodeNumber; type: InodeType }> {
    const end = index + 1 < this.directories ? this.#begins.get(index + 1) : this.count
    for (let entry = this.#begins.get(index); entry < end; entry++) {
      const type = TYPES[this.#types.get(entry)]!
      yield { target: this.#targets.get(entry) as InodeNumber, type }
    }
  }
}
