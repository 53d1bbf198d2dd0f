/** The door of what keeps blocks on a disk. Node only. */
export type { Place } from './digest-table.ts'
export { DigestTable } from './digest-table.ts'
export type { DirectoryLock } from './directory-lock.ts'
export { lockDirectory } from './directory-lock.ts'
export { TEMPORARY_SUFFIX, syncDirectory, writeFileDurably } from './durable-file.ts'
