/** Compares two folders of this machine byte for byte, and says how much space one takes. */
import { lstat, open, readFile, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'

/** Larger files are read piece by piece. */
const PIECE_BYTES = 1024 * 1024

/** Files compared at once. */
const FILES_AT_ONCE = 8

export interface Compared {
  readonly files: number
  readonly bytes: number
}

/** Throws an error that names the first difference found. */
export async function compareFolders(one: string, other: string): Promise<Compared> {
  const names = await listAll(one)
  const others = new Set(await listAll(other))
  const missing = names.find(name => !others.delete(name))
  if (missing !== undefined) throw new Error(`${other} lacks ${missing}`)
  const [surplus] = others
  if (surplus !== undefined) throw new Error(`${other} has ${surplus}, which ${one} has not`)

  let files = 0
  let bytes = 0
  const rest = names.values()
  const work = async (): Promise<void> => {
    for (const name of rest) {
      const size = await compareEntry(join(one, name), join(other, name))
      if (size === undefined) continue
      files++
      bytes += size
    }
  }
  await Promise.all(Array.from({ length: FILES_AT_ONCE }, work))
  return { files, bytes }
}

/** The bytes of all files in a folder. */
export async function sizeOfFolder(folder: string): Promise<number> {
  let bytes = 0
  for (const name of await listAll(folder)) {
    const stats = await lstat(join(folder, name))
    if (stats.isFile()) bytes += stats.size
  }
  return bytes
}

async function listAll(folder: string): Promise<string[]> {
  return await readdir(folder, { recursive: true })
}

/** The size of two equal files; undefined for what is no file. */
async function compareEntry(one: string, other: string): Promise<number | undefined> {
  const stats = await lstat(one)
  const otherStats = await lstat(other)
  if (stats.mode !== otherStats.mode) throw new Error(`${one} and ${other} have different modes`)
  if (stats.isSymbolicLink()) {
    if ((await readlink(one)) !== (await readlink(other))) throw differ(one, other)
    return undefined
  }
  if (!stats.isFile()) return undefined
  if (stats.size !== otherStats.size || !(await haveSameBytes(one, other))) throw differ(one, other)
  return stats.size
}

async function haveSameBytes(one: string, other: string): Promise<boolean> {
  const { size } = await lstat(one)
  if (size <= PIECE_BYTES) return (await readFile(one)).equals(await readFile(other))
  await using file = await open(one)
  await using otherFile = await open(other)
  for (;;) {
    const [piece, otherPiece] = await Promise.all([
      file.read(Buffer.allocUnsafe(PIECE_BYTES), 0, PIECE_BYTES),
      otherFile.read(Buffer.allocUnsafe(PIECE_BYTES), 0, PIECE_BYTES)
    ])
    const bytes = piece.buffer.subarray(0, piece.bytesRead)
    if (!bytes.equals(otherPiece.buffer.subarray(0, otherPiece.bytesRead))) return false
    if (piece.bytesRead === 0) return true
  }
}

function differ(one: string, other: string): Error {
  return new Error(`${one} and ${other} differ`)
}
