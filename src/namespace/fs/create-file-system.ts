/** Wires the verbs together; the object that users hold only forwards. */
import { iterable } from './directory.ts'
import type { Clock } from '../../peer/index.ts'
import { WarrenError } from '../../errors.ts'
import type { Mounts } from '../mounts/mounts.ts'
import * as attributes from './change-attributes.ts'
import { constants } from './constants.ts'
import type { FileSystemContext, WaitForCopies } from './context.ts'
import { copyFile } from './copy-file.ts'
import { copyTree } from './copy-tree.ts'
import type { FileSystem } from './file-system.ts'
import { makeDirectory, makeTemporaryDirectory } from './make-directory.ts'
import { open } from './open.ts'
import type { BufferOptions } from './open-files.ts'
import { OpenFiles } from './open-files.ts'
import { createReadStream, createWriteStream } from './path-streams.ts'
import { openDirectory, readDirectory } from './read-directory.ts'
import { readFile } from './read-file.ts'
import { remove, removeDirectory, unlink } from './remove.ts'
import { link, rename } from './rename.ts'
import { exists, stat } from './stat.ts'
import { makeSymbolicLink, readLink, realPath } from './symbolic-link.ts'
import { truncate } from './truncate.ts'
import { watch } from './watch.ts'
import { appendFile, writeFile } from './write-file.ts'

export interface FileSystemComponents {
  readonly mounts: Mounts
  readonly clock: Clock
  /** Default: nobody else keeps what is written, and one copy is all there can be. */
  readonly durable?: WaitForCopies
  /** For others who need to know what is open. Default: its own, by the buffer options. */
  readonly files?: OpenFiles
}

export interface FileSystemOptions extends BufferOptions {
  /** Permission bits that new files do not get. Default `0o022`. */
  readonly umask?: number
  /** Owner of new files. Default 0. */
  readonly uid?: number
  readonly gid?: number
}

const UMASK = 0o022

const onlyHere: WaitForCopies = async (_path, { copies }) => {
  throw new WarrenError('EINVAL', { message: `${copies} copies, and there can be 1` })
}

export function createFileSystem(
  components: FileSystemComponents,
  options: FileSystemOptions = {}
): FileSystem {
  const context: FileSystemContext = {
    ...components,
    durable: components.durable ?? onlyHere,
    files: components.files ?? new OpenFiles(components.clock, options),
    umask: options.umask ?? UMASK,
    uid: options.uid ?? 0,
    gid: options.gid ?? 0
  }
  const fileSystem: FileSystem = {
    ...contentVerbs(context),
    ...directoryVerbs(context),
    ...attributeVerbs(context),
    constants,
    get promises() {
      return fileSystem
    },
    flush: () => context.files.store(),
    sync: () => sync(context)
  }
  return fileSystem
}

type ContentVerb =
  | 'readFile'
  | 'writeFile'
  | 'appendFile'
  | 'truncate'
  | 'copyFile'
  | 'cp'
  | 'open'
  | 'createReadStream'
  | 'createWriteStream'

function contentVerbs(context: FileSystemContext): Pick<FileSystem, ContentVerb> {
  return {
    // Which of its forms a verb is called in decides the type of its result; the verb itself gives their union.
    readFile: ((path, options) => readFile(context, path, options)) as FileSystem['readFile'],
    writeFile: (path, data, options) => writeFile(context, path, data, options),
    appendFile: (path, data, options) => appendFile(context, path, data, options),
    truncate: (path, length) => truncate(context, path, length),
    copyFile: (source, destination, mode) => copyFile(context, source, destination, mode),
    cp: (source, destination, options) => copyTree(context, source, destination, options),
    open: (path, flags, mode) => open(context, path, flags, mode),
    createReadStream: (path, options) => createReadStream(context, path, options),
    createWriteStream: (path, options) => createWriteStream(context, path, options)
  }
}

type DirectoryVerb =
  | 'mkdir'
  | 'mkdtemp'
  | 'readdir'
  | 'opendir'
  | 'rename'
  | 'unlink'
  | 'rmdir'
  | 'rm'
  | 'link'
  | 'symlink'
  | 'readlink'
  | 'realpath'
  | 'watch'

function directoryVerbs(context: FileSystemContext): Pick<FileSystem, DirectoryVerb> {
  return {
    mkdir: ((path, options) => makeDirectory(context, path, options)) as FileSystem['mkdir'],
    mkdtemp: prefix => makeTemporaryDirectory(context, prefix),
    readdir: ((path, options) => readDirectory(context, path, options)) as FileSystem['readdir'],
    opendir: ((path, options) =>
      iterable(openDirectory(context, path, options))) as FileSystem['opendir'],
    rename: (from, to) => rename(context, from, to),
    unlink: path => unlink(context, path),
    rmdir: path => removeDirectory(context, path),
    rm: (path, options) => remove(context, path, options),
    link: (existing, path) => link(context, existing, path),
    symlink: (target, path) => makeSymbolicLink(context, target, path),
    readlink: ((path, options) => readLink(context, path, options)) as FileSystem['readlink'],
    realpath: ((path, options) => realPath(context, path, options)) as FileSystem['realpath'],
    watch: (path, options) => watch(context, path, options)
  }
}

type AttributeVerb = Exclude<
  keyof FileSystem,
  ContentVerb | DirectoryVerb | 'constants' | 'promises' | 'flush' | 'sync'
>

function attributeVerbs(context: FileSystemContext): Pick<FileSystem, AttributeVerb> {
  const { changeMode, changeOwner, changeTimes } = attributes
  return {
    stat: ((path, options) => stat(context, path, options)) as FileSystem['stat'],
    lstat: ((path, options) =>
      stat(context, path, { ...options, follow: false })) as FileSystem['lstat'],
    exists: path => exists(context, path),
    access: (path, mode) => attributes.access(context, path, mode),
    chmod: (path, mode) => changeMode(context, path, mode),
    chown: (path, uid, gid) => changeOwner(context, path, { uid, gid }),
    lchown: (path, uid, gid) => changeOwner(context, path, { uid, gid, follow: false }),
    utimes: (path, atime, mtime) => changeTimes(context, path, { atime, mtime }),
    lutimes: (path, atime, mtime) => changeTimes(context, path, { atime, mtime, follow: false }),
    getAttribute: (path, name, options) => attributes.getAttribute(context, path, name, options),
    setAttribute: (path, name, value) => attributes.setAttribute(context, path, name, value),
    removeAttribute: (path, name) => attributes.removeAttribute(context, path, name),
    listAttributes: (path, options) => attributes.listAttributes(context, path, options)
  }
}

async function sync({ files, mounts }: FileSystemContext): Promise<void> {
  await files.store()
  const volumes = mounts.volumes().filter(volume => volume.writable)
  const results = await Promise.allSettled(volumes.map(volume => volume.sync()))
  const failed = results.find(result => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}
