/** warren: an embeddable peer-to-peer file system. */
export { createWarren } from './create-warren.ts'
export type { ErrorCode, ErrorDetails } from './errors.ts'
export { WarrenError, isWarrenError } from './errors.ts'
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
