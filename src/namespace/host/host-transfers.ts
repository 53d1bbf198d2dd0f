/** Makes the transfers of a host: what `transfer.ts` promises, over this host's file system. */
import type { BlockId, CollectableBlockStore } from '../../blocks/index.ts'
import type { HostTransfers } from '../transfer.ts'
import { exportToHost } from './export-to-host.ts'
import { importFromHost } from './import-from-host.ts'
import { mirrorFromHost } from './mirror-from-host.ts'
import type { ImportComponents, ReferenceStore } from './import-volume.ts'

/**
 * `references`: where files imported in place are noted; without it that is refused. `touch` is
 * told of their blocks first, because collection does not see them pass through the block store.
 * `others`: see `ImportComponents`.
 */
export function createHostTransfers(
  references: ReferenceStore | undefined,
  touch: CollectableBlockStore['touch'],
  others: Pick<ImportComponents, 'exclude' | 'hashers' | 'collect'> = {}
): HostTransfers {
  const components: ImportComponents = {
    ...others,
    ...(references === undefined ? {} : { references: touching(references, touch) })
  }
  return {
    import: (hostPath, to, options) => importFromHost(components, hostPath, to, options),
    export: (from, hostPath, options) => exportToHost(components, from, hostPath, options),
    mirror: (hostPath, to, options) => mirrorFromHost(components, hostPath, to, options)
  }
}

function touching(
  references: ReferenceStore,
  touch: (ids: readonly BlockId[]) => Promise<void>
): ReferenceStore {
  return {
    putReferences: async (list, options) => {
      await touch(list.map(({ id }) => id))
      await references.putReferences(list, options)
    },
    fileOf: (path, options) => references.fileOf(path, options),
    forget: (path, options) => references.forget(path, options)
  }
}
