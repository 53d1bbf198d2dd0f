/** What `stat` gives: Node's `Stats` and `BigIntStats`, made from an inode. */
import type { Inode, InodeType } from '../volume/volume.ts'
import { constants } from './constants.ts'

/** What programs are told is a good size for one read or write. */
const BLOCK_SIZE = 64 * 1024

/** Unix counts the space of a file in units of this, whatever its block size. */
const SPACE_UNIT_BYTES = 512

const TYPE_BITS: Readonly<Record<InodeType, number>> = {
  file: constants.S_IFREG,
  directory: constants.S_IFDIR,
  symlink: constants.S_IFLNK
}

abstract class StatsMethods<Amount extends number | bigint> {
  abstract readonly mode: Amount

  isFile(): boolean {
    return this.#is(constants.S_IFREG)
  }

  isDirectory(): boolean {
    return this.#is(constants.S_IFDIR)
  }

  isSymbolicLink(): boolean {
    return this.#is(constants.S_IFLNK)
  }

  isBlockDevice(): boolean {
    return false
  }

  isCharacterDevice(): boolean {
    return false
  }

  isFIFO(): boolean {
    return false
  }

  isSocket(): boolean {
    return false
  }

  #is(type: number): boolean {
    return (Number(this.mode) & constants.S_IFMT) === type
  }
}

/** Attributes of a file. `dev` is a number made from the volume's id; `rdev` is always 0. */
export class Stats extends StatsMethods<number> {
  readonly dev: number
  readonly mode: number
  readonly nlink: number
  readonly uid: number
  readonly gid: number
  readonly rdev: number = 0
  readonly blksize: number = BLOCK_SIZE
  readonly ino: number
  readonly size: number
  /** Units of 512 bytes that the size would fill; gaps are counted too. */
  readonly blocks: number
  readonly atimeMs: number
  readonly mtimeMs: number
  readonly ctimeMs: number
  readonly birthtimeMs: number

  constructor(inode: Inode, volumeId: string) {
    super()
    this.dev = deviceNumber(volumeId)
    this.mode = TYPE_BITS[inode.type] | inode.mode
    this.nlink = inode.links
    this.uid = inode.uid
    this.gid = inode.gid
    this.ino = inode.number
    this.size = inode.size
    this.blocks = Math.ceil(inode.size / SPACE_UNIT_BYTES)
    this.atimeMs = inode.atimeMs
    this.mtimeMs = inode.mtimeMs
    this.ctimeMs = inode.ctimeMs
    this.birthtimeMs = inode.birthtimeMs
  }

  get atime(): Date {
    return new Date(this.atimeMs)
  }

  get mtime(): Date {
    return new Date(this.mtimeMs)
  }

  get ctime(): Date {
    return new Date(this.ctimeMs)
  }

  get birthtime(): Date {
    return new Date(this.birthtimeMs)
  }
}

/** The same in bigints, with times in nanoseconds beside those in milliseconds. */
export class BigIntStats extends StatsMethods<bigint> {
  readonly dev: bigint
  readonly mode: bigint
  readonly nlink: bigint
  readonly uid: bigint
  readonly gid: bigint
  readonly rdev: bigint
  readonly blksize: bigint
  readonly ino: bigint
  readonly size: bigint
  readonly blocks: bigint
  readonly atimeNs: bigint
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly birthtimeNs: bigint
  readonly atimeMs: bigint
  readonly mtimeMs: bigint
  readonly ctimeMs: bigint
  readonly birthtimeMs: bigint

  constructor(stats: Stats) {
    super()
    this.dev = BigInt(stats.dev)
    this.mode = BigInt(stats.mode)
    this.nlink = BigInt(stats.nlink)
    this.uid = BigInt(stats.uid)
    this.gid = BigInt(stats.gid)
    this.rdev = BigInt(stats.rdev)
    this.blksize = BigInt(stats.blksize)
    this.ino = BigInt(stats.ino)
    this.size = BigInt(stats.size)
    this.blocks = BigInt(stats.blocks)
    this.atimeNs = nanoseconds(stats.atimeMs)
    this.mtimeNs = nanoseconds(stats.mtimeMs)
    this.ctimeNs = nanoseconds(stats.ctimeMs)
    this.birthtimeNs = nanoseconds(stats.birthtimeMs)
    this.atimeMs = BigInt(Math.floor(stats.atimeMs))
    this.mtimeMs = BigInt(Math.floor(stats.mtimeMs))
    this.ctimeMs = BigInt(Math.floor(stats.ctimeMs))
    this.birthtimeMs = BigInt(Math.floor(stats.birthtimeMs))
  }

  get atime(): Date {
    return new Date(Number(this.atimeMs))
  }

  get mtime(): Date {
    return new Date(Number(this.mtimeMs))
  }

  get ctime(): Date {
    return new Date(Number(this.ctimeMs))
  }

  get birthtime(): Date {
    return new Date(Number(this.birthtimeMs))
  }
}

function nanoseconds(ms: number): bigint {
  const whole = Math.floor(ms)
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1e6))
}

/** The last number made: entries of one listing have it in common. */
let last = { volumeId: '', device: 0 }

/** The same for the same volume in every process: FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
function deviceNumber(volumeId: string): number {
  if (last.volumeId !== volumeId) last = { volumeId, device: hashOf(volumeId) }
  return last.device
}

function hashOf(volumeId: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < volumeId.length; index++) {
    hash = Math.imul(hash ^ volumeId.charCodeAt(index), 0x01000193)
  }
  return hash >>> 0
}
