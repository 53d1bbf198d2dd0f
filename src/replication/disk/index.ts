/** The door of what replication keeps on disk. Node only. */
export { openDiskAddressStore } from './disk-address-store.ts'
export { openDiskHolderListStore } from './disk-holder-list-store.ts'
export { openDiskReplicationStore } from './disk-replication-store.ts'
export { openDiskScrubStore } from './disk-scrub-store.ts'
