/** The door of what the namespace keeps on disk. */
export { openDiskHeadStore } from './disk-head-store.ts'
export { openDiskNamespaceStore } from './disk-namespace-store.ts'
export { openDiskVersionStore } from './disk-version-store.ts'
