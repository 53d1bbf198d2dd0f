/**
 * One process at a time in a directory.
 *
 * Node has no `flock`, and a file that holds a process id lies after a crash, after a reboot and
 * between containers. SQLite, which is part of Node, takes real locks of the operating system: they
 * end with the process however it ends, `kill -9` included, hold between containers that share the
 * directory, and hold between two openers in one process too. So the lock is an exclusive
 * transaction, never committed, on an empty database that is never written.
 *
 * Two traps. On POSIX a process loses its locks on a file when it closes *any* descriptor of that
 * file: nothing else in the process may open `LOCK`, which is why the owner's id is in a file of
 * its own. And Node before 24 prints an ExperimentalWarning when SQLite is first used, here.
 */
import { mkdir, readFile, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { WarrenError } from '../../errors.ts'
import { toWarrenError } from './system-error.ts'

const LOCK_FILE = 'LOCK'
/** Says who holds the lock, to people only: the lock does not depend on it. */
const OWNER_FILE = 'LOCK.owner'

export interface DirectoryLock {
  /** Idempotent. */
  release(): Promise<void>
}

/**
 * Makes the directory if need be. Throws `EBUSY` at once while another opener, in this process or
 * any other, holds it; `EACCES` or `EROFS` where the directory cannot be written.
 */
export async function lockDirectory(path: string): Promise<DirectoryLock> {
  const ownerPath = join(path, OWNER_FILE)
  const close = await takeLock(path, ownerPath)
  await writeFile(ownerPath, `${process.pid}\n`).catch(() => {})
  let released: Promise<void> | undefined
  return {
    release: () => {
      released ??= unlink(ownerPath)
        .catch(() => {})
        .then(close)
      return released
    }
  }
}

async function takeLock(path: string, ownerPath: string): Promise<() => void> {
  const lockPath = join(path, LOCK_FILE)
  await mkdir(path, { recursive: true }).catch(cause => {
    throw toWarrenError(cause, { syscall: 'mkdir', path })
  })
  const { DatabaseSync } = await import('node:sqlite')
  let database: InstanceType<typeof DatabaseSync> | undefined
  try {
    database = new DatabaseSync(lockPath)
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE')
    const held = database
    return () => held.close()
  } catch (cause) {
    database?.close()
    if (isSqliteBusy(cause)) throw new WarrenError('EBUSY', await describeOwner(path, ownerPath))
    throw new WarrenError('EACCES', { syscall: 'open', path: lockPath, cause })
  }
}

/** https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5

function isSqliteBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY
}

async function describeOwner(
  path: string,
  ownerPath: string
): Promise<{ message: string; syscall: string; path: string }> {
  const owner = (await readFile(ownerPath, 'utf8').catch(() => '')).trim()
  const who = owner === '' ? 'another opener' : `process ${owner}`
  return { message: `the directory is in use by ${who}`, syscall: 'open', path }
}
