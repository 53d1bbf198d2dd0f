/**
 * A volume of somebody else's: read only, shown as of the newest head we know.
 *
 * Heads are pushed to us while a peer that has them is connected. Beside that a reader never sees
 * a head that was last checked longer ago than the attribute lifetime, unless nobody who could
 * know a newer one is reachable: then the last known version is better than none. Only the first
 * reader who finds that out waits for it; until somebody answers again the others go on at once, as
 * long as it is asked now and then.
 *
 * News may come from a peer that has not the version itself. A head is therefore shown only when
 * the root of its tree could be read; until then readers stay with the version before.
 *
 * Of a sealed volume nothing can be read before somebody brings its key; it is followed all the same,
 * so that it can be held.
 */
import { Sealing, createDecodingReader } from '../../blocks/index.ts'
import type { BlockId, BlockReader, ReadKey, StoreOptions } from '../../blocks/index.ts'
import type { Clock, PeerId, TypedEventTarget } from '../../peer/index.ts'
import { WarrenError, isWarrenError } from '../../errors.ts'
import type { SignedHead, VolumeId } from '../heads/head.ts'
import { NEWEST_TIMEOUT_MS } from '../heads/fetch-heads.ts'
import type { HeadExchange } from '../heads/head-exchange.ts'
import { supersedes } from '../heads/head-order.ts'
import { createTree } from '../tree/create-tree.ts'
import type { NodeCache } from '../tree/node-cache.ts'
import type { Tree } from '../tree/tree.ts'
import { shareEventLoop } from './event-loop.ts'
import { TreeSnapshot } from './tree-snapshot.ts'
import { ROOT_INODE } from './volume.ts'
import type { Snapshot, StoredExtents, Volume, VolumeEvents } from './volume.ts'

/** What NFS clients commonly allow, in milliseconds (mission R28). */
const ATTRIBUTE_LIFETIME_MS = 3_000

/** When nobody had what was asked for, readers ask again this soon, in milliseconds, and do not wait for it. */
const RETRY_MS = 1_000

/** What was found out longer ago than this says nothing of who is there now: a reader waits again, in milliseconds. */
const ALONE_MS_MAX = 30_000

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
  /** How long to wait for a head, in milliseconds. Default: what `HeadExchange.newest` has, which is also the most. */
  readonly deadlineMs?: number
}

export interface FollowedVolume extends Volume {
  /** Roots of what is shown here, and of what will be. */
  roots(): BlockId[]
  /** Opens what is sealed with this key, from now on. */
  addReadKey(key: ReadKey): void
}

export function openFollowedVolume(
  id: VolumeId,
  components: FollowedVolumeComponents,
  options: FollowedVolumeOptions = {}
): FollowedVolume {
  return new NewestVersion(id, components, options)
}

class NewestVersion implements FollowedVolume {
  readonly id: VolumeId
  readonly writable = false
  readonly #events = new EventTarget()
  readonly #components: FollowedVolumeComponents
  readonly #sealing = new Sealing()
  /** The one of the components, and what is sealed opened. */
  readonly #reader: BlockReader
  readonly #lifetimeMs: number
  readonly #timeoutMs: number
  readonly #unfollow: () => void
  #head: SignedHead | undefined
  #tree: Tree | undefined
  #checkedMs = -Infinity
  /** Nobody answered the last time, or nobody had what the newest head names. */
  #isAlone = false
  #checking: Promise<void> | undefined
  /** The newest head whose tree is being looked for, and when that ends; it does not reject. */
  #adopting: { readonly head: SignedHead; readonly done: Promise<void> } | undefined
  readonly #closing = new AbortController()

  constructor(id: VolumeId, components: FollowedVolumeComponents, options: FollowedVolumeOptions) {
    this.id = id
    this.#components = components
    this.#reader = createDecodingReader(components.reader, this.#sealing)
    this.#lifetimeMs = options.attributeLifetimeMs ?? ATTRIBUTE_LIFETIME_MS
    this.#timeoutMs = Math.min(options.deadlineMs ?? Infinity, NEWEST_TIMEOUT_MS)
    this.#unfollow = components.heads.follow(id, head => void this.#learn(head), {
      sources: components.sources()
    })
  }

  get events(): TypedEventTarget<VolumeEvents> {
    return this.#events
  }

  async snapshot({ signal }: StoreOptions = {}): Promise<Snapshot> {
    await shareEventLoop()
    this.#requireOpen()
    const ageMs = this.#components.clock.now() - this.#checkedMs
    const isAlone = this.#isAlone && ageMs < ALONE_MS_MAX
    const lifetimeMs = isAlone ? Math.min(RETRY_MS, this.#lifetimeMs) : this.#lifetimeMs
    // Below zero: the clock was set back, and nothing says how old it is.
    if (ageMs > lifetimeMs || ageMs < 0) {
      const checked = this.#checkOnce()
      if (this.#tree === undefined || !isAlone) await unlessAborted(checked, signal)
      else checked.catch(() => {})
    }
    this.#requireOpen()
    if (this.#tree === undefined) {
      throw new WarrenError('EHOSTUNREACH', { message: `no head of volume ${this.id}` })
    }
    return new TreeSnapshot(this.#tree, this.#reader)
  }

  get readKey(): ReadKey | undefined {
    return this.#sealing.readKey
  }

  addReadKey(key: ReadKey): void {
    this.#sealing.add(key)
    if (this.#head !== undefined) this.#tree = this.#treeOf(this.#head)
  }

  roots(): BlockId[] {
    return [this.#head, this.#adopting?.head].flatMap(head => (head ? [head.root] : []))
  }

  update(): Promise<never> {
    return Promise.reject(new WarrenError('EROFS'))
  }

  storeExtents(): StoredExtents {
    throw new WarrenError('EROFS')
  }

  async sync(): Promise<void> {}

  async close(): Promise<void> {
    this.#closing.abort(new WarrenError('EBADF', { message: `volume ${this.id} is closed` }))
    this.#unfollow()
  }

  /** Readers that find the lifetime over at the same time share one question. */
  #checkOnce(): Promise<void> {
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined
    })
    return this.#checking
  }

  async #check(): Promise<void> {
    const { heads, sources, clock } = this.#components
    const { head, fresh } = await heads.newest(this.id, {
      sources: sources(),
      timeoutMs: this.#timeoutMs,
      signal: this.#closing.signal
    })
    this.#isAlone = !fresh
    if (head !== undefined) await this.#learn(head)
    this.#checkedMs = clock.now()
  }

  /** Resolves when the head is shown, or when its tree could not be read. */
  async #learn(head: SignedHead): Promise<void> {
    if (!supersedes(head, this.#head)) {
      this.#checkedMs = this.#components.clock.now()
      return
    }
    if (this.#head === undefined) return this.#show(head)
    const adopting = this.#adopting
    if (adopting === undefined || supersedes(head, adopting.head)) {
      this.#adopting = { head, done: this.#adopt(head) }
    }
    await this.#adopting!.done
  }

  async #adopt(head: SignedHead): Promise<void> {
    try {
      const snapshot = new TreeSnapshot(this.#treeOf(head), this.#reader)
      await snapshot.inode(ROOT_INODE, { signal: this.#closing.signal }).catch(orSealed)
      if (supersedes(head, this.#head)) this.#show(head)
    } catch {
      this.#isAlone = true
    } finally {
      if (this.#adopting?.head === head) this.#adopting = undefined
    }
  }

  #show(head: SignedHead): void {
    this.#head = head
    this.#tree = this.#treeOf(head)
    this.#checkedMs = this.#components.clock.now()
    this.#isAlone = false
    this.#events.dispatchEvent(new Event('change'))
  }

  #treeOf({ root }: SignedHead): Tree {
    const { cache } = this.#components
    // Trees that are not sealed share what is in the cache.
    const encoding = this.#sealing.isEmpty ? undefined : this.#sealing
    return createTree({ reader: this.#reader, cache, encoding }, root)
  }

  #requireOpen(): void {
    if (this.#closing.signal.aborted) throw this.#closing.signal.reason
  }
}

/** What is there and cannot be read is there. */
function orSealed(error: unknown): undefined {
  if (!isWarrenError(error, 'EACCES')) throw error
}

/** One reader that gives up does not end the question for the others. */
async function unlessAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return work
  work.catch(() => {})
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const abort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
