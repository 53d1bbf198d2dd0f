/**
 * What of a peer's namespace survives a restart: its mounts and what it shares. Written whole and
 * rarely, so a store is just load and save.
 */
export interface MountRecord {
  /** Canonical. */
  readonly path: string
  /** The share link it was mounted by. */
  readonly link: string
}

export interface ShareRecord {
  /** Canonical path in this peer's namespace. */
  readonly path: string
  /** What it is called under `/peers/<id>/`. */
  readonly name: string
}

export interface NamespaceRecord {
  readonly mounts: readonly MountRecord[]
  readonly shares: readonly ShareRecord[]
}

export interface NamespaceStore {
  /** What was last saved; empty at first. */
  load(): Promise<NamespaceRecord>
  /** Resolves when it is durable. Of several at once the last one called is the one that stays. */
  save(record: NamespaceRecord): Promise<void>
}

export function createMemoryNamespaceStore(): NamespaceStore {
  let saved: NamespaceRecord = { mounts: [], shares: [] }
  return {
    load: async () => saved,
    save: async record => {
      saved = record
    }
  }
}
