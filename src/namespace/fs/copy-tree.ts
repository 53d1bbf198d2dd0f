/**
 * `cp`: copies files and trees. Within a volume files are copied by reference, a batch of a
 * directory in each transaction; from another volume short files go in batches as well, and long
 * ones are streamed. The source is copied as it was when the copy began.
 */
import { WarrenError, isWarrenError } from '../../errors.ts'
import type { EntryWithInode, Inode, NewInode, Transaction } from '../volume/volume.ts'
import { constants } from './constants.ts'
import type { Copied } from './copy-batch.ts'
import { Batch, inlineContents } from './copy-batch.ts'
import type { FileSystemContext } from './context.ts'
import { attempt } from './failures.ts'
import type { CopyOptions } from './file-system.ts'
import { createView, streamView } from './file-view.ts'
import { makeDirectory } from './make-directory.ts'
import type { Keep } from './open-files.ts'
import { absoluteTarget, appendName, joinPath, parentOf, toPath } from './paths.ts'
import type { FixedPlace, NamePlace, Place } from './resolve.ts'
import { resolve, resolveDirectory, resolveName } from './resolve.ts'
import { storeContent } from './store-content.ts'

/** Paths as the caller wrote them, for the filter. */
interface Names {
  readonly source: string
  readonly destination: string
}

export async function copyTree(
  context: FileSystemContext,
  source: string | URL,
  destination: string | URL,
  options: CopyOptions = {}
): Promise<void> {
  const path = toPath(source, 'src')
  const dest = toPath(destination, 'dest')
  await attempt({ syscall: 'cp', path, dest }, async () => {
    const copy = new TreeCopy(context, options)
    await copy.run({ source: path, destination: dest })
  })
}

class TreeCopy {
  readonly #context: FileSystemContext
  readonly #options: CopyOptions

  constructor(context: FileSystemContext, options: CopyOptions) {
    this.#context = context
    this.#options = options
  }

  async run(names: Names): Promise<void> {
    const { dereference, recursive } = this.#options
    // What is buffered belongs to what is copied.
    await this.#context.files.store()
    const from = await resolve(this.#context, names.source, { follow: dereference === true })
    if (!(await this.#wants(names))) return
    const to = await this.#target(names.destination)
    await this.#checkPair(from, to)
    if (from.inode.type === 'directory') {
      if (recursive !== true) throw new WarrenError('EISDIR', { message: 'without recursive' })
      return await this.#copyDirectory(from, to, names)
    }
    const target = to.name === undefined ? undefined : { volume: to.volume, inode: to.directory }
    if (target === undefined || to.name === undefined) throw new WarrenError('EISDIR')
    const [batch, copied] = [new Batch(), { name: to.name, inode: from.inode }]
    await this.#add(batch, from, copied)
    await this.#store(batch, from, target)
  }

  /** The name to be made, in a directory that is made where it is missing. */
  async #target(destination: string): Promise<NamePlace | FixedPlace> {
    try {
      return await resolveName(this.#context, destination, { follow: false })
    } catch (error) {
      if (!isWarrenError(error, 'ENOENT')) throw error
      await makeDirectory(this.#context, appendName(destination, '..'), { recursive: true })
      return await resolveName(this.#context, destination, { follow: false })
    }
  }

  async #checkPair(from: Place, to: NamePlace | FixedPlace): Promise<void> {
    const number = to.name === undefined ? to.inode : to.entry?.inode
    if (to.mounted.volume === from.volume && number === from.inode.number) {
      throw new WarrenError('EINVAL', { message: 'source and destination are the same' })
    }
    const isDirectory = from.inode.type === 'directory'
    if (isDirectory && to.path.startsWith(joinPath(from.path, ''))) {
      throw new WarrenError('EINVAL', { message: 'a directory into itself' })
    }
    if (number === undefined) return
    const inode = await to.snapshot.inode(number)
    if (isDirectory && inode?.type !== 'directory') throw new WarrenError('ENOTDIR')
    if (!isDirectory && inode?.type === 'directory') throw new WarrenError('EISDIR')
  }

  async #copyDirectory(from: Place, to: NamePlace | FixedPlace, names: Names): Promise<void> {
    await this.#makeDirectory(from.inode, to)
    const target = await resolveDirectory(this.#context, to.path)
    const mounted = this.#context.mounts.namesUnder(from.path)
    const batch = new Batch()
    for await (const entries of from.snapshot.entriesWithInodes(
      from.inode.number,
      this.#signal()
    )) {
      for (const entry of entries) {
        if (mounted.includes(entry.name)) continue
        await this.#copyEntry(from, entry, { batch, target, names })
      }
    }
    await this.#store(batch, from, { volume: target.volume, inode: target.inode.number })
    for (const name of mounted) {
      await this.#copyPlace(await resolve(this.#context, joinPath(from.path, name)), target, {
        name,
        names
      })
    }
    if (this.#options.preserveTimestamps === true) {
      const { atimeMs, mtimeMs } = from.inode
      await target.volume.update(transaction =>
        transaction.patch(target.inode.number, { atimeMs, mtimeMs })
      )
    }
  }

  async #copyEntry(
    from: Place,
    entry: EntryWithInode,
    to: { readonly batch: Batch; readonly target: Place; readonly names: Names }
  ): Promise<void> {
    this.#options.signal?.throwIfAborted()
    const { name, attributes: inode } = entry
    const path = joinPath(from.path, name)
    if (entry.type === 'symlink' && this.#options.dereference === true) {
      return await this.#copyPlace(await resolve(this.#context, path), to.target, { ...to, name })
    }
    if (entry.type === 'directory') {
      return await this.#copyPlace({ ...from, path, inode }, to.target, { ...to, name })
    }
    if (!(await this.#wants(below(to.names, name)))) return
    await this.#add(to.batch, from, { name, inode })
    if (to.batch.isFull) {
      await this.#store(to.batch, from, { volume: to.target.volume, inode: to.target.inode.number })
    }
  }

  /** Copies what is not simply an entry of the directory that is being copied. */
  async #copyPlace(
    from: Place,
    target: Place,
    { name, names }: { readonly name: string; readonly names: Names }
  ): Promise<void> {
    const next = below(names, name)
    if (!(await this.#wants(next))) return
    const to = await resolveName(this.#context, joinPath(target.path, name), { follow: false })
    await this.#checkPair(from, to)
    if (from.inode.type === 'directory') return await this.#copyDirectory(from, to, next)
    const batch = new Batch()
    await this.#add(batch, from, { name, inode: from.inode })
    await this.#store(batch, from, { volume: target.volume, inode: target.inode.number })
  }

  async #makeDirectory(inode: Inode, to: NamePlace | FixedPlace): Promise<void> {
    if (to.name === undefined || to.entry !== undefined) return
    const { volume, directory, name } = to
    await volume.update(async transaction => {
      const entry = await transaction.lookup(directory, name)
      if (entry !== undefined && entry.type !== 'directory') throw new WarrenError('ENOTDIR')
      if (entry === undefined) await transaction.create(directory, name, this.#template(inode))
    })
  }

  async #add(batch: Batch, from: Place, file: Copied): Promise<void> {
    if (file.inode.type !== 'symlink') return batch.add(file)
    const { verbatimSymlinks } = this.#options
    const target = file.inode.target ?? ''
    const absolute = target.startsWith('/') || verbatimSymlinks === true
    const directory = from.inode.type === 'directory' ? from.path : parentOf(from.path)
    batch.add({ ...file, linkTo: absolute ? target : absoluteTarget(directory, target) })
  }

  async #store(
    batch: Batch,
    from: Pick<Place, 'volume' | 'snapshot'>,
    target: Pick<NamePlace, 'volume'> & { readonly inode: Inode['number'] }
  ): Promise<void> {
    const files = batch.take()
    if (files.length === 0) return
    const isLocal = target.volume === from.volume
    const inline = isLocal
      ? new Map<Copied, Uint8Array>()
      : await inlineContents(from.snapshot, files)
    const isShort = (file: Copied): boolean =>
      isLocal || inline.has(file) || file.inode.type === 'symlink'
    await this.#context.files.removing(target.volume, keep =>
      target.volume.update(async transaction => {
        for (const file of files.filter(isShort)) {
          const made = await this.#make(transaction, { ...target, file, keep })
          if (made === undefined || file.inode.type === 'symlink') continue
          const bytes = inline.get(file)
          if (bytes === undefined) await transaction.shareContent(file.inode.number, made.number)
          else await transaction.setInline(made.number, bytes)
          await this.#keepTimes(transaction, file.inode, made)
        }
      })
    )
    for (const file of files) {
      if (!isShort(file)) await this.#stream(file, from, target)
    }
  }

  async #stream(
    file: Copied,
    { snapshot }: Pick<Place, 'snapshot'>,
    { volume, inode: directory }: Pick<NamePlace, 'volume'> & { readonly inode: Inode['number'] }
  ): Promise<void> {
    const entry = await (await volume.snapshot()).lookup(directory, file.name)
    if (entry !== undefined && !this.#mayReplace()) return
    const { signal } = this.#options
    const view = createView(snapshot, file.inode, [])
    const made = await storeContent(
      this.#context,
      {
        volume,
        at: { directory, name: file.name },
        found: entry?.inode,
        template: this.#template(file.inode),
        signal
      },
      streamView(view, 0, file.inode.size, this.#signal())
    )
    await volume.update(transaction => this.#keepTimes(transaction, file.inode, made))
  }

  /** Makes the file or link, in place of what is there. Undefined when that is to stay. */
  async #make(
    transaction: Transaction,
    to: { readonly inode: Inode['number']; readonly file: Copied; readonly keep: Keep }
  ): Promise<Inode | undefined> {
    const { inode, name, linkTo } = to.file
    const entry = await transaction.lookup(to.inode, name)
    if (entry?.type === 'directory') throw new WarrenError('EISDIR')
    if (entry !== undefined) {
      if (!this.#mayReplace()) return undefined
      await transaction.unlink(to.inode, name, { keep: to.keep })
    }
    const template = this.#template(inode)
    return await transaction.create(
      to.inode,
      name,
      linkTo === undefined ? template : { ...template, target: linkTo }
    )
  }

  /** Whether what is there is replaced. Throws `EEXIST` where the options say so. */
  #mayReplace(): boolean {
    const { force, errorOnExist, mode = 0 } = this.#options
    if ((mode & constants.COPYFILE_EXCL) !== 0) throw new WarrenError('EEXIST')
    if (force !== false) return true
    if (errorOnExist === true) throw new WarrenError('EEXIST')
    return false
  }

  async #keepTimes(transaction: Transaction, from: Inode, made: Inode): Promise<void> {
    if (this.#options.preserveTimestamps !== true) return
    const { atimeMs, mtimeMs } = from
    await transaction.patch(made.number, { atimeMs, mtimeMs })
  }

  #template(inode: Inode): NewInode {
    const { uid, gid } = this.#context
    return { type: inode.type, mode: inode.mode, uid, gid }
  }

  async #wants({ source, destination }: Names): Promise<boolean> {
    const { filter } = this.#options
    return filter === undefined || (await filter(source, destination))
  }

  #signal(): { signal?: AbortSignal } {
    const { signal } = this.#options
    return signal === undefined ? {} : { signal }
  }
}

function below({ source, destination }: Names, name: string): Names {
  return { source: appendName(source, name), destination: appendName(destination, name) }
}
