/** What every verb is given: where paths lead, and what is open. */
import type { Clock } from '../../peer/index.ts'
import type { Mounts } from '../mounts/mounts.ts'
import type { NewInode } from '../volume/volume.ts'
import type { OpenFiles } from './open-files.ts'

/** Resolves when so many peers have what is at a path, as it is now, on disk, we among them. */
export type WaitForCopies = (
  path: string,
  options: { readonly copies: number; readonly signal?: AbortSignal }
) => Promise<void>

export interface FileSystemContext {
  readonly mounts: Mounts
  readonly clock: Clock
  readonly files: OpenFiles
  readonly durable: WaitForCopies
  /** Permission bits that new files do not get. */
  readonly umask: number
  /** Owner of new files. */
  readonly uid: number
  readonly gid: number
}

/** What a new file begins with; `mode` is what the caller asked for. */
export function newFile(context: FileSystemContext, mode: number): NewInode {
  return { type: 'file', mode: mode & ~context.umask, uid: context.uid, gid: context.gid }
}

export function newDirectory(context: FileSystemContext, mode: number): NewInode {
  return { ...newFile(context, mode), type: 'directory' }
}
