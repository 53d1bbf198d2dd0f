/** The door of the file system. */
export { constants } from './constants.ts'
export type { FileSystemConstants } from './constants.ts'
export { createFileSystem } from './create-file-system.ts'
export type { FileSystemComponents, FileSystemOptions } from './create-file-system.ts'
export { OpenFiles } from './open-files.ts'
export type { Directory, OpeningDirectory } from './directory.ts'
export { Dirent, DirentWithStats } from './dirent.ts'
export type {
  CancelOptions,
  FileHandle,
  ReadOptions,
  ReadStreamOptions,
  StatOptions,
  SyncOptions,
  TimeLike,
  WritableContent,
  WriteOptions,
  WriteStreamOptions
} from './file-handle.ts'
export type {
  CopyOptions,
  FileSystem,
  MakeDirectoryOptions,
  OpenDirectoryOptions,
  ReadDirectoryOptions,
  ReadFileOptions,
  RemoveOptions,
  WatchEvent,
  WatchOptions,
  WriteFileOptions
} from './file-system.ts'
export { BUFFER_DELAY_MS, FILE_BUFFER_BYTES, TOTAL_BUFFER_BYTES } from './open-files.ts'
export type { BufferOptions } from './open-files.ts'
export type { PathLike } from './paths.ts'
export { BigIntStats, Stats } from './stats.ts'
export type { EncodingOption, TextEncoding } from './text.ts'
