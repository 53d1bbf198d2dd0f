/** The door of transfers with the host's file system, apart from the core because browsers have none. */
export { exportToHost } from './export-to-host.ts'
export { createHostTransfers } from './host-transfers.ts'
export { importFromHost } from './import-from-host.ts'
export { mirrorFromHost } from './mirror-from-host.ts'
export type { ImportComponents, ReferenceStore } from './import-volume.ts'
