/** The door of what keeps blocks on a disk. Node only. */
export type { Place } from './digest-table.ts'
export { DigestTable } from './digest-table.ts'
export type { DirectoryLock } from './directory-lock.ts'
export { lockDirectory } from './directory-lock.ts'
export type { DiskBlockStore, DiskBlockStoreOptions } from './disk-block-store.ts'
export { LIVE_RATIO_MIN, SEGMENT_BYTES_MAX, openDiskBlockStore } from './disk-block-store.ts'
export { TEMPORARY_SUFFIX, syncDirectory, writeFileDurably } from './durable-file.ts'
export type { FileHashersOptions, FileRange, HashedRange } from './file-hashers.ts'
export { FileHashers, RANGE_BYTES_MAX } from './file-hashers.ts'
export type { DiskFile, FileSystem } from './file-system.ts'
export { nodeFileSystem } from './file-system.ts'
export type {
  HostFile,
  HostFileBlockStore,
  HostFileBlockStoreOptions,
  HostFileReference,
  IndexedHostFile
} from './host-file-block-store.ts'
export { hostFileOf, openHostFileBlockStore } from './host-file-block-store.ts'
export type { RecordFile, RecordFormat } from './record-file.ts'
export { openRecordFile } from './record-file.ts'
