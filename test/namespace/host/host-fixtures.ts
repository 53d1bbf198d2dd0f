/**
 * Folders of the host and volumes side by side, for tests of transfers.
 *
 * Exports: `createTransferFixture()` → a temporary directory, a volume and short ways to import and
 * export between them; `describeFolder(path)` → everything a transfer should carry, as text, so
 * that two folders can be compared by `assert.deepEqual`; `describeVolume(volume, name)` → the
 * same of a directory of a volume; small things to make files with.
 */
import assert from 'node:assert/strict'
import { lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { exportToHost, importFromHost } from '../../../src/namespace/host/index.ts'
import type { ImportComponents } from '../../../src/namespace/host/index.ts'
import type {
  ExportOptions,
  ImportOptions,
  TransferProgress,
  TransferReport
} from '../../../src/namespace/transfer.ts'
import type { LocalVolume } from '../../../src/namespace/volume/local-volume.ts'
import type { Inode, InodeNumber, Snapshot } from '../../../src/namespace/volume/volume.ts'
import { ROOT_INODE } from '../../../src/namespace/volume/volume.ts'
import type { TemporaryDirectory } from '../../fixtures/temporary-directory.ts'
import { createTemporaryDirectory } from '../../fixtures/temporary-directory.ts'
import type { VolumeFixture } from '../../fixtures/volume.ts'
import { createVolumeFixture } from '../../fixtures/volume.ts'

export const ROOT: InodeNumber = ROOT_INODE

export interface TransferFixture extends VolumeFixture, AsyncDisposable {
  readonly directory: TemporaryDirectory
  /** `name` in the volume's root. */
  import(hostPath: string, name: string, options?: ImportOptions): Promise<TransferReport>
  export(name: string, hostPath: string, options?: ExportOptions): Promise<TransferReport>
}

export async function createTransferFixture(
  components: ImportComponents = {},
  ...volume: Parameters<typeof createVolumeFixture>
): Promise<TransferFixture> {
  const directory = await createTemporaryDirectory('host')
  const fixture = await createVolumeFixture(...volume)
  const place = (name: string) => ({ volume: fixture.volume, directory: ROOT, name })
  return {
    ...fixture,
    directory,
    import: (hostPath, name, options = {}) =>
      importFromHost(components, hostPath, place(name), options),
    export: (name, hostPath, options = {}) => exportToHost({}, place(name), hostPath, options),
    [Symbol.asyncDispose]: async () => {
      await fixture.volume.close()
      await directory.remove()
    }
  }
}

/** One line for each thing in a folder: path, kind, mode, time in milliseconds, size and hash or target. */
export function describeFolder(path: string): string[] {
  const lines: string[] = []
  const visit = (hostPath: string, relative: string): void => {
    const stats = lstatSync(hostPath)
    const time = Math.round(stats.mtimeMs * 100) / 100
    const mode = (stats.mode & 0o777).toString(8)
    if (stats.isSymbolicLink()) lines.push(`${relative} -> ${readlinkSync(hostPath)}`)
    else if (stats.isFile()) {
      const hash = createHash('sha256').update(readFileSync(hostPath)).digest('hex').slice(0, 16)
      lines.push(`${relative} ${mode} ${time} ${stats.size} ${hash}`)
    } else {
      lines.push(`${relative}/ ${mode} ${time}`)
      for (const name of readdirSync(hostPath).sort())
        visit(`${hostPath}/${name}`, `${relative}/${name}`)
    }
  }
  visit(path, '')
  return lines
}

export async function describeVolume(volume: LocalVolume, name: string): Promise<string[]> {
  const snapshot = await volume.snapshot()
  const entry = await snapshot.lookup(ROOT, name)
  const lines: string[] = []
  const visit = async (inode: Inode, relative: string): Promise<void> => {
    const mode = (inode.mode & 0o777).toString(8)
    const time = Math.round(inode.mtimeMs * 100) / 100
    if (inode.type === 'symlink') lines.push(`${relative} -> ${inode.target}`)
    else if (inode.type === 'file') {
      const hash = createHash('sha256')
        .update(await readInode(snapshot, inode))
        .digest('hex')
      lines.push(`${relative} ${mode} ${time} ${inode.size} ${hash.slice(0, 16)}`)
    } else {
      lines.push(`${relative}/ ${mode} ${time}`)
      const entries = []
      for await (const batch of snapshot.entriesWithInodes(inode.number)) entries.push(...batch)
      const byName = entries.sort((a, b) => (a.name < b.name ? -1 : 1))
      for (const child of byName) await visit(child.attributes, `${relative}/${child.name}`)
    }
  }
  await visit((await snapshot.inode(entry!.inode))!, '')
  return lines
}

export async function readInode(snapshot: Snapshot, inode: Inode): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of snapshot.read(inode)) pieces.push(piece)
  return new Uint8Array(Buffer.concat(pieces))
}

/** The inode at a path below the volume's root. */
export async function inodeAt(volume: LocalVolume, path: string): Promise<Inode | undefined> {
  const snapshot = await volume.snapshot()
  let inode = await snapshot.inode(ROOT)
  for (const name of path.split('/')) {
    const entry = inode && (await snapshot.lookup(inode.number, name))
    inode = entry && (await snapshot.inode(entry.inode))
  }
  return inode
}

export function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65_536))
  }
  return bytes
}

/** What of a report says how much was done. */
export function countsOf({ failed, ...counts }: TransferReport): Omit<TransferReport, 'failed'> & {
  failed: string[]
} {
  return { ...counts, failed: failed.map(({ path, error }) => `${path}: ${codeOf(error)}`) }
}

export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error)
}

/** Descriptors this process has open, by what they lead to. */
export function openFiles(below: string): string[] {
  return readdirSync('/proc/self/fd').flatMap(number => {
    try {
      const target = readlinkSync(`/proc/self/fd/${number}`)
      return target.startsWith(below) ? [target] : []
    } catch {
      return []
    }
  })
}

/** Progress never goes back, knows the totals at the end and ends there. */
export function checkProgress(
  told: readonly TransferProgress[],
  total: { readonly files: number; readonly bytes: number }
): void {
  const last = told.at(-1)!
  assert.deepEqual([last.files, last.bytes], [total.files, total.bytes])
  assert.deepEqual([last.filesTotal, last.bytesTotal], [total.files, total.bytes])
  for (const [index, progress] of told.entries()) {
    const before = told[index - 1]
    if (before !== undefined) {
      assert.ok(progress.files >= before.files && progress.bytes >= before.bytes)
      assert.ok(before.filesTotal === undefined || progress.filesTotal !== undefined)
    }
    if (progress.bytesTotal !== undefined) assert.ok(progress.bytes <= progress.bytesTotal)
  }
}
