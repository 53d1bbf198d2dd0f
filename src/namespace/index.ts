/** The door of the namespace layer. */
export { OpenFiles, createFileSystem } from './fs/index.ts'
export type {
  BigIntStats,
  Directory,
  Dirent,
  DirentWithStats,
  FileHandle,
  FileSystem,
  PathLike,
  Stats,
  WatchEvent
} from './fs/index.ts'
export type { EagerHeadStore } from './heads/eager-head-store.ts'
export { createEagerHeadStore } from './heads/eager-head-store.ts'
export type { HeadExchange } from './heads/head-exchange.ts'
export { createHeadExchange } from './heads/head-exchange.ts'
export type { Offer } from './heads/head-messages.ts'
export type { HeadStore } from './heads/head-store.ts'
export type { Head, SignedHead, VolumeId } from './heads/head.ts'
export { createMemoryHeadStore } from './heads/memory-head-store.ts'
export { createVolumeId, parseVolumeId } from './heads/volume-id.ts'
export type { Link, LinkPeer } from './link.ts'
export { formatLink, parseLink } from './link.ts'
export { MountTable } from './mounts/mount-table.ts'
export type { Mounted, Mounts } from './mounts/mounts.ts'
export type {
  MountRecord,
  NamespaceRecord,
  NamespaceStore,
  ShareRecord
} from './mounts/namespace-store.ts'
export { createMemoryNamespaceStore } from './mounts/namespace-store.ts'
export { canonicalPath, childPath, isWithin, lastName, parentPath } from './mounts/paths.ts'
export { PeerDirectory, pathOfShare } from './mounts/peer-directory.ts'
export { Shares } from './mounts/shares.ts'
export { walkVolume } from './mounts/walk.ts'
export type {
  ExportOptions,
  HostTransfers,
  ImportOptions,
  MirrorOptions,
  TransferOptions,
  TransferPlace,
  TransferProgress,
  TransferReport
} from './transfer.ts'
export { createTree } from './tree/create-tree.ts'
export { linksWithin } from './tree/links-within.ts'
export { NodeCache, createNodeCache } from './tree/node-cache.ts'
export type { NodeCacheOptions } from './tree/node-cache.ts'
export { differencesIn } from './volume/differences-in.ts'
export type { VolumeDifference } from './volume/differences-in.ts'
export { shareEventLoop } from './volume/event-loop.ts'
export type { FollowedVolume } from './volume/followed-volume.ts'
export { openFollowedVolume } from './volume/followed-volume.ts'
export { openLocalVolume } from './volume/local-volume.ts'
export { readLinkedData } from './volume/linked-data.ts'
export type { LinkedData } from './volume/linked-data.ts'
export { TreeSnapshot } from './volume/tree-snapshot.ts'
export { RETENTION_VERSIONS_MAX } from './volume/kept-versions.ts'
export { createMemoryVersionStore } from './volume/version-store.ts'
export type { Version, VersionStore } from './volume/version-store.ts'
export type { LocalVolume, PinnedVersion } from './volume/local-volume.ts'
export type { ReadNode, SurveyedGap, SurveyedNode } from './tree/survey.ts'
export { surveyTree } from './tree/survey.ts'
export type { TreeEntry } from './tree/tree.ts'
export { entryRange, inodeOf, inodesWithin, isContentOnly, typeOfKey } from './volume/keys.ts'
export { decodeEntry, decodeExtent, decodeInode, decodeVolumeRecord } from './volume/records.ts'
export type { RepairTransaction } from './volume/repair-transaction.ts'
export { EXTENT_BYTES_DEFAULT, INLINE_BYTES_MAX, ROOT_INODE } from './volume/volume.ts'
export type {
  DirectoryEntry,
  EntryWithInode,
  Extent,
  Inode,
  InodeNumber,
  InodeType,
  Snapshot,
  Transaction,
  Volume
} from './volume/volume.ts'
