/**
 * Takes a folder or file of the host into a volume.
 *
 * The folder is walked beside the volume's directory; what differs is worked on in batches. Of a
 * batch, contents are read and stored, and then one transaction puts all of it into the tree. A
 * second run after a crash therefore begins about where the first one ended.
 *
 * What looks unchanged (size, modification time) is not read again unless that is asked for. A file that was changed twice
 * within one tick of the host's clock without a change of its size looks unchanged.
 */
import { realpathSync, statSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { basename, dirname } from 'node:path'
import { WarrenError } from '../../errors.ts'
import type { ImportOptions, TransferPlace, TransferReport } from '../transfer.ts'
import type { Inode, Transaction } from '../volume/volume.ts'
import { countHost } from './count-host.ts'
import { hasContentOf } from './host-entry.ts'
import type { ImportContext } from './import-context.ts'
import { snapshotOf } from './import-context.ts'
import { ImportDirectory } from './import-items.ts'
import type { FileItem } from './import-items.ts'
import type { ImportComponents, ImportVolume } from './import-volume.ts'
import { importItems } from './import-items-in-batches.ts'
import { WholeFileReader } from './read-host-file.ts'
import { Slices } from './slices.ts'
import { TransferLog } from './transfer-log.ts'
import { WHOLE_WALK, walkHost } from './walk-host.ts'
import type { WalkGuide } from './walk-host.ts'
import { YoungGarbage } from './young-garbage.ts'

/** Trusts no times. */
const VERIFYING: WalkGuide = { ...WHOLE_WALK, suspects: () => true }

/** Throws what the host throws for the folder or file itself, `EINVAL`, `EROFS`, `ENOTDIR`, `EISDIR`, `ENOTSUP`, `ENOSPC`. */
export async function importFromHost(
  components: ImportComponents,
  hostPath: string,
  to: TransferPlace,
  options: ImportOptions
): Promise<TransferReport> {
  const path = realpathSync(hostPath)
  const stats = statSync(path)
  const log = new TransferLog(options)
  const context = createImportContext(components, { to, options, log })
  if (stats.isDirectory()) await importFolder(context, path, { to, options })
  else await importFile(context, { path, stats }, { to, options })
  await forgetCopied(context)
  return log.report()
}

export function createImportContext(
  { references, hashers, collect = () => {}, exclude = [] }: ImportComponents,
  call: { readonly to: TransferPlace; readonly options: ImportOptions; readonly log: TransferLog }
): ImportContext {
  const { to, options, log } = call
  if (options.inPlace === true && references === undefined) {
    throw new WarrenError('ENOTSUP', { message: 'this store keeps no references to host files' })
  }
  if (options.inPlace === true && to.volume.readKey !== undefined) {
    throw new WarrenError('ENOTSUP', {
      message: 'files of the host are not sealed as the volume is'
    })
  }
  return {
    volume: to.volume as ImportVolume,
    references,
    hashers,
    wholeFiles: new WholeFileReader(),
    garbage: new YoungGarbage(collect),
    exclude: new Set(exclude),
    inPlace: options.inPlace === true,
    keepOthers: options.keepOthers === true,
    links: new Map(),
    copied: [],
    slices: new Slices(),
    signal: options.signal,
    log
  }
}

/** The directory that a folder becomes: made if it is not there. */
export async function openTop(
  { volume, exclude }: ImportContext,
  hostPath: string,
  { directory, name }: TransferPlace
): Promise<ImportDirectory> {
  for (const path of exclude) {
    if (!`${hostPath}/`.startsWith(`${path}/`)) continue
    throw new WarrenError('EINVAL', { message: 'blocks are kept there', path: hostPath })
  }
  const top = await volume.update(transaction => findOrMake(transaction, { directory, name }))
  return new ImportDirectory({ path: '', hostPath }, top)
}

/** References of files whose blocks are now copied are of no use; first the copies must be safe. */
export async function forgetCopied(context: ImportContext): Promise<void> {
  const { copied, references, volume } = context
  if (copied.length === 0) return
  await volume.sync()
  for (const path of copied) await references?.forget(path)
}

async function importFolder(
  context: ImportContext,
  hostPath: string,
  { to, options }: { readonly to: TransferPlace; readonly options: ImportOptions }
): Promise<void> {
  const top = await openTop(context, hostPath, to)
  const stopCounting = new AbortController()
  const counting =
    options.onProgress === undefined ? undefined : countHost(context, hostPath, stopCounting.signal)
  try {
    await importItems(context, walkHost(context, [top], options.verify ? VERIFYING : WHOLE_WALK))
  } finally {
    stopCounting.abort()
    await counting
  }
}

async function importFile(
  context: ImportContext,
  { path, stats }: { readonly path: string; readonly stats: Stats },
  { to, options }: { readonly to: TransferPlace; readonly options: ImportOptions }
): Promise<void> {
  const { directory, name: wanted } = to
  if (!stats.isFile()) {
    throw new WarrenError('ENOTSUP', { message: 'a device, pipe or socket', path })
  }
  const name = wanted ?? basename(path)
  const { log } = context
  log.filesTotal = 1
  log.bytesTotal = stats.size
  const snapshot = await snapshotOf(context)
  const holder = await snapshot.inode(directory)
  const entry = await snapshot.lookup(directory, name)
  const found = entry && (await snapshot.inode(entry.inode))
  if (found?.type === 'directory')
    throw new WarrenError('EISDIR', { syscall: 'import', path: name })
  const looksSame = found !== undefined && hasContentOf(found, stats)
  const same = looksSame && options.verify !== true ? found : undefined
  const into = new ImportDirectory({ path: '', hostPath: dirname(path) }, holder)
  const item: FileItem = {
    kind: 'file',
    directory: into,
    entry: { name, stats },
    found,
    hostPath: path,
    same
  }
  await importItems(context, [[item]])
  const [failure] = log.failures
  if (failure !== undefined) throw failure.error
}

async function findOrMake(
  transaction: Transaction,
  { directory, name }: Pick<TransferPlace, 'directory' | 'name'>
): Promise<Inode> {
  const entry = name === undefined ? undefined : await transaction.lookup(directory, name)
  if (name !== undefined && entry === undefined) {
    return transaction.create(directory, name, { type: 'directory', mode: 0o755 })
  }
  const inode = await transaction.inode(entry?.inode ?? directory)
  if (inode?.type === 'directory') return inode
  throw new WarrenError('ENOTDIR', { syscall: 'import', path: name ?? '/' })
}
