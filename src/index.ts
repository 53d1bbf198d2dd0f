/** warren: an embeddable peer-to-peer file system. */
export type {
  Block,
  BlockId,
  BlockStore,
  BlockStoreUsage,
  Blockstore,
  ReadKey
} from './blocks/index.ts'
export {
  createMemoryBlockStore,
  createReadKey,
  fromBlockstore,
  parseReadKey,
  toBlockstore
} from './blocks/index.ts'
export { createWarren } from './create-warren.ts'
export type { ErrorCode, ErrorDetails } from './errors.ts'
export { WarrenError, isWarrenError } from './errors.ts'
export type {
  BigIntStats,
  Directory,
  Dirent,
  DirentWithStats,
  FileHandle,
  FileSystem,
  HeadStore,
  NamespaceStore,
  PathLike,
  Stats,
  VolumeId,
  WatchEvent
} from './namespace/index.ts'
export { createMemoryHeadStore, createMemoryNamespaceStore } from './namespace/index.ts'
export type { Peer, PeerId, SigningKey } from './peer/index.ts'
export { createSigningKey, importSigningKey } from './peer/index.ts'
export type {
  AddressBook,
  AddressRecord,
  AddressStore,
  Amount,
  CheckCounts,
  CheckOptions,
  CheckProblem,
  CheckProgress,
  CheckReport,
  DistrustReason,
  FolderStatus,
  HeldStatus,
  HolderListStore,
  HolderProgress,
  HolderState,
  HolderStatus,
  PledgeOptions,
  PledgeReport,
  Policy,
  Presence,
  ProblemKind,
  Replication,
  ReplicationEvents,
  ReplicationOptions,
  ReplicationStatus,
  ReplicationStore,
  WaitOptions
} from './replication/index.ts'
export {
  createMemoryAddressStore,
  createMemoryHolderListStore,
  createMemoryReplicationStore
} from './replication/index.ts'
export type {
  ExportOptions,
  ImportOptions,
  MirrorOptions,
  MountReport,
  PeerReport,
  ShareReport,
  TransferOptions,
  TransferProgress,
  TransferReport,
  Warren,
  WarrenOptions
} from './warren.ts'
