/**
 * A volume of somebody else's: read only, shown as of the newest head we know.
 *
 * Heads are pushed to us while a peer that has them is connected. Beside that a reader never sees
 * a head that was last checked longer ago than the attribute lifetime, unless nobody who could
 * know a newer one is reachable: then the last known version is better than none.
 */
import type { BlockReader, StoreOptions } from '../../blocks/index.ts'
import type { Clock, PeerId, TypedEventTarget } from '../../peer/index.ts'
import { WarrenError } from '../../errors.ts'
import type { SignedHead, VolumeId } from '../heads/head.ts'
import type { HeadExchange } from '../heads/head-exchange.ts'
import { createTree } from '../tree/create-tree.ts'
import type { NodeCache } from '../tree/node-cache.ts'
import type { Tree } from '../tree/tree.ts'
import { TreeSnapshot } from './tree-snapshot.ts'
import type { Snapshot, StoredExtents, Volume, VolumeEvents } from './volume.ts'

/** What NFS clients commonly allow, in milliseconds (mission R28). */
const ATTRIBUTE_LIFETIME_MS = 3_000

export interface FollowedVolumeComponents {
  readonly heads: Pick<HeadExchange, 'newest' | 'follow'>
  readonly reader: BlockReader
  readonly cache: NodeCache
  readonly clock: Clock
  /** Peers to ask beside the connected ones: those of the link it was mounted by. */
  readonly sources: () => readonly PeerId[]
}

export interface FollowedVolumeOptions {
  /** Milliseconds, default `ATTRIBUTE_LIFETIME_MS`. */
  readonly attributeLifetimeMs?: number
}

export function openFollowedVolume(
  id: VolumeId,
  components: FollowedVolumeComponents,
  options: FollowedVolumeOptions = {}
): Volume {
  return new FollowedVolume(id, components, options)
}

class FollowedVolume implements Volume {
  readonly id: VolumeId
  readonly writable = false
  readonly #events = new EventTarget()
  readonly #components: FollowedVolumeComponents
  readonly #lifetimeMs: number
  readonly #unfollow: () => void
  #head: SignedHead | undefined
  #tree: Tree | undefined
  #checkedMs = -Infinity
  #checking: Promise<void> | undefined
  #closed = false

  constructor(id: VolumeId, components: FollowedVolumeComponents, options: FollowedVolumeOptions) {
    this.id = id
    this.#components = components
    this.#lifetimeMs = options.attributeLifetimeMs ?? ATTRIBUTE_LIFETIME_MS
    this.#unfollow = components.heads.follow(id, head => this.#learn(head), {
      sources: components.sources()
    })
  }

  get events(): TypedEventTarget<VolumeEvents> {
    return this.#events
  }

  async snapshot(options: StoreOptions = {}): Promise<Snapshot> {
    if (this.#closed) throw new WarrenError('EBADF', { message: `volume ${this.id} is closed` })
    if (this.#tree === undefined) await this.#check(options)
    else if (this.#components.clock.now() - this.#checkedMs > this.#lifetimeMs) {
      await this.#checkOnce()
    }
    if (this.#tree === undefined) {
      throw new WarrenError('EHOSTUNREACH', { message: `no head of volume ${this.id}` })
    }
    return new TreeSnapshot(this.#tree, this.#components.reader)
  }

  update(): Promise<never> {
    return Promise.reject(new WarrenError('EROFS'))
  }

  storeExtents(): StoredExtents {
    throw new WarrenError('EROFS')
  }

  async sync(): Promise<void> {}

  async close(): Promise<void> {
    this.#closed = true
    this.#unfollow()
  }

  /** Readers that find the lifetime over at the same time share one question. */
  #checkOnce(): Promise<void> {
    this.#checking ??= this.#check({}).finally(() => {
      this.#checking = undefined
    })
    return this.#checking
  }

  async #check(options: StoreOptions): Promise<void> {
    const { heads, sources } = this.#components
    const { head } = await heads.newest(this.id, { ...options, sources: sources() })
    this.#checkedMs = this.#components.clock.now()
    if (head !== undefined) this.#learn(head)
  }

  #learn(head: SignedHead): void {
    this.#checkedMs = this.#components.clock.now()
    if (this.#head !== undefined && head.sequence <= this.#head.sequence) return
    const { reader, cache } = this.#components
    this.#head = head
    this.#tree = createTree({ reader, cache }, head.root)
    this.#events.dispatchEvent(new Event('change'))
  }
}
