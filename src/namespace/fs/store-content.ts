/**
 * Gives a name in a directory a whole new content, at once or not at all. Short content goes into
 * the tree in one transaction. Long content is stored block by block under an inode without a
 * name, which takes the name, or hands its extents to the file that has it, when all is there.
 */
import { WarrenError } from '../../errors.ts'
import type {
  DirectoryEntry,
  Inode,
  InodeNumber,
  NewInode,
  Transaction,
  Volume
} from '../volume/volume.ts'
import { INLINE_BYTES_MAX } from '../volume/volume.ts'
import type { ContentSource } from './content-source.ts'
import { piecesOf } from './content-source.ts'
import type { FileSystemContext } from './context.ts'

export interface ContentTarget {
  readonly volume: Volume
  /** The name, or the inode itself where a file is mounted. */
  readonly at: { readonly directory: InodeNumber; readonly name: string } | InodeNumber
  /** What has the name now, as far as the caller knows. */
  readonly found: InodeNumber | undefined
  /** What a new file is made as. */
  readonly template: NewInode
  /** Throw `EEXIST` when the name is taken. Default false. */
  readonly exclusive?: boolean
  readonly signal?: AbortSignal | undefined
}

export async function storeContent(
  context: FileSystemContext,
  target: ContentTarget,
  source: ContentSource
): Promise<Inode> {
  if (!target.volume.writable) throw new WarrenError('EROFS')
  const pieces = piecesOf(source, target.signal)
  try {
    const { head, ended } = await readHead(pieces)
    if (ended) {
      return await replacing(context, target, transaction => storeShort(transaction, target, head))
    }
    return await storeLong(context, target, chain(head, pieces))
  } finally {
    await pieces.return(undefined)
  }
}

/** Nobody may write to an open file while its content is replaced. */
export async function replacing<Result>(
  context: FileSystemContext,
  { volume, found }: Pick<ContentTarget, 'volume' | 'found'>,
  work: (transaction: Transaction) => Promise<Result>
): Promise<Result> {
  const file = found === undefined ? undefined : context.files.find(volume, found)
  if (file === undefined) return await volume.update(work)
  return await file.replaceContent(() => volume.update(work))
}

/** The file that is to get the content, if it is there. Throws for what is no file. */
export async function findFile(
  transaction: Transaction,
  { at, exclusive }: Pick<ContentTarget, 'at' | 'exclusive'>
): Promise<InodeNumber | undefined> {
  if (typeof at === 'number') return at
  const entry: DirectoryEntry | undefined = await transaction.lookup(at.directory, at.name)
  if (entry === undefined) return undefined
  if (exclusive === true) throw new WarrenError('EEXIST')
  if (entry.type === 'directory') throw new WarrenError('EISDIR')
  if (entry.type === 'symlink') throw new WarrenError('ELOOP')
  return entry.inode
}

/** The file that is to get the content, made when it is not there. */
export async function findOrMakeFile(
  transaction: Transaction,
  target: Pick<ContentTarget, 'at' | 'exclusive' | 'template'>
): Promise<InodeNumber> {
  const found = await findFile(transaction, target)
  if (found !== undefined || typeof target.at === 'number') return found!
  const { directory, name } = target.at
  return (await transaction.create(directory, name, target.template)).number
}

async function storeShort(
  transaction: Transaction,
  target: ContentTarget,
  pieces: readonly Uint8Array[]
): Promise<Inode> {
  return await transaction.setInline(await findOrMakeFile(transaction, target), joined(pieces))
}

async function storeLong(
  context: FileSystemContext,
  target: ContentTarget,
  pieces: AsyncIterable<Uint8Array>
): Promise<Inode> {
  const { volume, template } = target
  const { number } = await volume.update(transaction => transaction.createUnlinked(template))
  try {
    await storeExtents(target, number, pieces)
    return await replacing(context, target, async transaction => {
      const found = await findFile(transaction, target)
      if (found !== undefined) {
        const inode = await transaction.shareContent(number, found)
        await transaction.release(number)
        return inode
      }
      const { directory, name } = target.at as Exclude<ContentTarget['at'], InodeNumber>
      await transaction.link(directory, name, number)
      return (await transaction.inode(number))!
    })
  } catch (error) {
    await volume.update(transaction => transaction.release(number)).catch(() => {})
    throw error
  }
}

async function storeExtents(
  { volume, signal }: ContentTarget,
  number: InodeNumber,
  pieces: AsyncIterable<Uint8Array>
): Promise<void> {
  const options = signal === undefined ? { offset: 0 } : { offset: 0, signal }
  const storing = volume.storeExtents(pieces, options)
  try {
    for await (const extents of storing) {
      const from = extents[0]!.offset
      const last = extents.at(-1)!
      const size = last.offset + last.length
      await volume.update(transaction =>
        transaction.setExtents(number, { from, to: size, extents, size })
      )
    }
  } finally {
    storing.done()
  }
}

/** Reads until the source ends or what came is too long to stand in the tree. */
async function readHead(
  pieces: AsyncGenerator<Uint8Array>
): Promise<{ readonly head: Uint8Array[]; readonly ended: boolean }> {
  const head: Uint8Array[] = []
  for (let bytes = 0; bytes <= INLINE_BYTES_MAX;) {
    const next = await pieces.next()
    if (next.done === true) return { head, ended: true }
    head.push(next.value)
    bytes += next.value.length
  }
  return { head, ended: false }
}

async function* chain(
  head: readonly Uint8Array[],
  rest: AsyncIterable<Uint8Array>
): AsyncGenerator<Uint8Array> {
  yield* head
  yield* rest
}

/** Always a copy: what stands in the tree must not change under it. */
function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let offset = 0
  for (const piece of pieces) {
    whole.set(piece, offset)
    offset += piece.length
  }
  return whole
}
