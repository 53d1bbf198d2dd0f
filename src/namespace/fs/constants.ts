/** The numbers of `node:fs`'s `constants`, with their Linux values on every platform. */
export const constants: FileSystemConstants = Object.freeze({
  F_OK: 0,
  X_OK: 1,
  W_OK: 2,
  R_OK: 4,
  COPYFILE_EXCL: 1,
  COPYFILE_FICLONE: 2,
  COPYFILE_FICLONE_FORCE: 4,
  O_RDONLY: 0,
  O_WRONLY: 1,
  O_RDWR: 2,
  O_CREAT: 0o100,
  O_EXCL: 0o200,
  O_TRUNC: 0o1000,
  O_APPEND: 0o2000,
  O_DSYNC: 0o10000,
  O_DIRECTORY: 0o200000,
  O_NOFOLLOW: 0o400000,
  O_SYNC: 0o4010000,
  S_IFMT: 0o170000,
  S_IFREG: 0o100000,
  S_IFDIR: 0o040000,
  S_IFLNK: 0o120000,
  S_IRUSR: 0o400,
  S_IWUSR: 0o200,
  S_IXUSR: 0o100,
  S_IRGRP: 0o040,
  S_IWGRP: 0o020,
  S_IXGRP: 0o010,
  S_IROTH: 0o004,
  S_IWOTH: 0o002,
  S_IXOTH: 0o001
})

export interface FileSystemConstants {
  readonly F_OK: number
  readonly X_OK: number
  readonly W_OK: number
  readonly R_OK: number
  readonly COPYFILE_EXCL: number
  readonly COPYFILE_FICLONE: number
  readonly COPYFILE_FICLONE_FORCE: number
  readonly O_RDONLY: number
  readonly O_WRONLY: number
  readonly O_RDWR: number
  readonly O_CREAT: number
  readonly O_EXCL: number
  readonly O_TRUNC: number
  readonly O_APPEND: number
  readonly O_DSYNC: number
  readonly O_DIRECTORY: number
  readonly O_NOFOLLOW: number
  readonly O_SYNC: number
  readonly S_IFMT: number
  readonly S_IFREG: number
  readonly S_IFDIR: number
  readonly S_IFLNK: number
  readonly S_IRUSR: number
  readonly S_IWUSR: number
  readonly S_IXUSR: number
  readonly S_IRGRP: number
  readonly S_IWGRP: number
  readonly S_IXGRP: number
  readonly S_IROTH: number
  readonly S_IWOTH: number
  readonly S_IXOTH: number
}
