/** The warren that apps hold: its verbs forward to the parts that `createWarren` has wired. */
import { Sealing } from './blocks/index.ts'
import type {
  BlockExchange,
  BlockReader,
  BlockStoreUsage,
  CollectableBlockStore
} from './blocks/index.ts'
import type { AutomaticCollection } from './automatic-collection.ts'
import type { Parts } from './defaults/parts.ts'
import { WarrenError, isWarrenError } from './errors.ts'
import type { KeptPeers } from './kept-peers.ts'
import {
  canonicalPath,
  childPath,
  formatLink,
  lastName,
  parentPath,
  parseLink,
  pathOfShare
} from './namespace/index.ts'
import type {
  EagerHeadStore,
  ExportOptions,
  HeadExchange,
  HostTransfers,
  InodeNumber,
  ImportOptions,
  LinkPeer,
  MirrorOptions,
  LocalVolume,
  MountTable,
  Offer,
  OpenFiles,
  ShareRecord,
  Shares,
  TransferReport,
  VolumeId,
  createFileSystem
} from './namespace/index.ts'
import type { KnownPeer, Peer, PeerId } from './peer/index.ts'
import { checkVolume } from './replication/index.ts'
import type { CheckOptions, CheckReport, PeerReplication } from './replication/index.ts'
import { existingPlace, explained, writablePlace } from './transfer-place.ts'
import type { Volumes } from './volumes.ts'
import type { MountReport, PeerReport, ShareReport, Warren } from './warren.ts'

/** How long `peers` waits for one that does not answer, in milliseconds. */
const OFFERS_TIMEOUT_MS = 3_000

export interface WarrenComponents extends Parts {
  readonly store: CollectableBlockStore
  readonly exchange: BlockExchange
  /** Of blocks here and at whoever else has them. */
  readonly reader: BlockReader
  readonly heads: HeadExchange
  readonly knownHeads: EagerHeadStore
  readonly own: LocalVolume
  readonly kept: KeptPeers
  readonly volumes: Volumes
  readonly table: MountTable
  readonly shares: Shares
  readonly collection: AutomaticCollection
  readonly replication: PeerReplication
  readonly fs: ReturnType<typeof createFileSystem>
  readonly files: OpenFiles
  readonly transfers: HostTransfers | undefined
}

export class PeerWarren implements Warren {
  readonly #parts: WarrenComponents
  readonly #ending = new AbortController()
  #stopping: Promise<void> | undefined

  constructor(components: WarrenComponents) {
    this.#parts = components
  }

  get id(): PeerId {
    return this.#parts.peer.id
  }

  get volume(): VolumeId {
    return this.#parts.own.id
  }

  get fs(): WarrenComponents['fs'] {
    return this.#parts.fs
  }

  get peer(): Peer {
    return this.#parts.peer
  }

  get replication(): PeerReplication {
    return this.#parts.replication
  }

  /** Called by `createWarren` once. */
  async start(): Promise<void> {
    const { peer, exchange, heads, replication, volumes, collection } = this.#parts
    await exchange.start()
    await heads.start()
    try {
      await peer.start()
    } catch (error) {
      throw isWarrenError(error) ? error : listenError(error)
    }
    await replication.start()
    collection.start()
    volumes.search(question => replication.findHolders(question))
  }

  addresses(): string[] {
    return this.#parts.peer.addresses()
  }

  async import(
    hostPath: string,
    path: string,
    options: ImportOptions = {}
  ): Promise<TransferReport> {
    const transfers = this.#transfers()
    const signal = this.#untilStop(options)
    await this.fs.flush()
    const to = await writablePlace(this.#parts, { path, syscall: 'import', signal })
    return transfers.import(hostPath, to, { ...options, signal })
  }

  async *mirror(
    hostPath: string,
    path: string,
    options: MirrorOptions = {}
  ): AsyncGenerator<TransferReport> {
    const transfers = this.#transfers()
    const signal = this.#untilStop(options)
    await this.fs.flush()
    const to = await writablePlace(this.#parts, { path, syscall: 'import', signal })
    yield* transfers.mirror(hostPath, to, { ...options, signal })
  }

  async export(
    path: string,
    hostPath: string,
    options: ExportOptions = {}
  ): Promise<TransferReport> {
    const transfers = this.#transfers()
    const signal = this.#untilStop(options)
    await this.fs.flush()
    const from = await existingPlace(this.#parts, { path, syscall: 'export', signal })
    return transfers.export(from, hostPath, { ...options, signal })
  }

  async share(
    path: string,
    { name, key }: { readonly name?: string; readonly key?: boolean } = {}
  ): Promise<string> {
    this.#requireRunning()
    const { shares, table } = this.#parts
    const real = await this.fs.realpath(path)
    const record = await shares.add(real, name)
    // Whoever is given the link finds what the caller sees now.
    await this.fs.flush()
    await table.locate(real).volume.sync()
    return this.#linkTo(record, key)
  }

  async unshare(path: string): Promise<void> {
    this.#requireRunning()
    const { shares } = this.#parts
    // What was shared may be gone from its path by now.
    const at = canonicalPath(path)
    await shares.remove(shares.has(at) ? at : await this.#realOr(at))
  }

  shares(): ShareReport[] {
    return this.#parts.shares.list().map(record => ({ ...record, link: this.#linkTo(record) }))
  }

  async mount(
    path: string,
    link: string,
    options: { readonly signal?: AbortSignal; readonly offline?: boolean } = {}
  ): Promise<void> {
    this.#requireRunning()
    this.#parts.volumes.approach(parseLink(link))
    const at = await this.#mountPath(path)
    await this.#parts.table.mount(at, link, options)
  }

  async unmount(path: string): Promise<void> {
    this.#requireRunning()
    const { table, collection } = this.#parts
    const at = canonicalPath(path)
    await table.unmount(table.has(at) ? at : await this.#realOr(at))
    collection.expect()
  }

  mounts(): MountReport[] {
    return this.#parts.table.list().map(({ path, link, volume }) => ({
      path,
      link,
      volume: volume.id,
      writable: volume.writable
    }))
  }

  async connect(target: string, options: { readonly signal?: AbortSignal } = {}): Promise<PeerId> {
    this.#requireRunning()
    const { peer, kept } = this.#parts
    const id = await peer.dial(target, options)
    await kept.holdAlways(id)
    return id
  }

  async peers({ signal }: { readonly signal?: AbortSignal } = {}): Promise<PeerReport[]> {
    this.#requireRunning()
    const deadline = AbortSignal.timeout(OFFERS_TIMEOUT_MS)
    const until = signal === undefined ? deadline : AbortSignal.any([signal, deadline])
    const reports = await Promise.all(
      this.#parts.peer
        .known()
        .map(async known => ({ ...known, shares: await this.#sharesOf(known, until) }))
    )
    signal?.throwIfAborted()
    return reports
  }

  async sync(): Promise<void> {
    this.#requireRunning()
    await this.fs.flush()
    await this.#parts.own.sync()
  }

  async collect(options: { readonly signal?: AbortSignal } = {}): Promise<BlockStoreUsage> {
    await this.sync()
    return this.#parts.collection.collect(options)
  }

  async check(options: CheckOptions = {}): Promise<CheckReport> {
    const signal = this.#untilStop(options)
    await this.sync()
    const { own, store, reader, clock, replication, files } = this.#parts
    const isOpen = (inode: InodeNumber): boolean => files.isOpen(own, inode)
    const encoding = own.readKey === undefined ? undefined : new Sealing(own.readKey)
    const copiesOf = await replication.copiesOf({ signal })
    return checkVolume(
      { volume: own, store, reader, encoding, clock, isOpen, copiesOf },
      { ...options, signal }
    )
  }

  usage(): BlockStoreUsage {
    return this.#parts.store.usage()
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** Everything is let go of, whatever fails on the way; the first failure is told. */
  async #stop(): Promise<void> {
    const { heads, knownHeads, exchange, peer, replication, volumes, collection } = this.#parts
    this.#ending.abort(new WarrenError('EBADF', { message: 'the warren has been stopped' }))
    const steps = [
      () => collection.stop(),
      () => this.fs.flush(),
      () => replication.stop(),
      () => volumes.closeAll(),
      () => heads.stop(),
      () => knownHeads.flush(),
      () => exchange.stop(),
      () => peer.stop(),
      () => this.#parts.close()
    ]
    const failures: unknown[] = []
    for (const step of steps) await step().catch((error: unknown) => failures.push(error))
    if (failures.length > 0) throw failures[0]
  }

  async #sharesOf(
    { id, addresses, connected, local }: KnownPeer,
    signal: AbortSignal
  ): Promise<PeerReport['shares']> {
    // Of those who were only heard of, asking each would be a dial to wherever they are now.
    const offers = connected || local ? await this.#offersOf(id, signal) : []
    return offers.map(({ name, volume, path }) => ({
      name,
      path: pathOfShare(id, name),
      link: formatLink({ volume, path, peers: [{ id, addresses }], name })
    }))
  }

  async #offersOf(id: PeerId, signal: AbortSignal): Promise<readonly Offer[]> {
    try {
      return await this.#parts.heads.offersOf(id, { signal })
    } catch {
      return []
    }
  }

  #linkTo({ path, name }: ShareRecord, withKey = true): string {
    const { table, peer } = this.#parts
    const { volume, path: inside, sources } = table.locate(path)
    // What we have of others' volumes may be little: who had it before us is named as well.
    const others = sources.filter(({ id }) => id !== peer.id)
    const holders = this.#holdersOf(volume.id, sources)
    const peers = [{ id: peer.id, addresses: peer.addresses() }, ...others, ...holders]
    const { id, readKey } = volume
    if (readKey === undefined) return formatLink({ volume: id, path: inside, peers, name })
    // Who holds a volume and cannot read it has no use for names in it.
    if (!withKey) return formatLink({ volume: id, path: '/', peers })
    return formatLink({ volume: id, path: inside, peers, name, key: readKey })
  }

  /** Who else has a volume, so that a link to it works when we are away. */
  #holdersOf(volume: VolumeId, named: readonly LinkPeer[]): LinkPeer[] {
    const { replication, peer } = this.#parts
    const known = new Set(named.map(({ id }) => id))
    const hints = replication.hints(volume).filter(id => !known.has(id))
    if (hints.length === 0) return []
    const addresses = new Map(peer.known().map(other => [other.id, other.addresses]))
    return hints.map(id => ({ id, addresses: addresses.get(id) ?? [] }))
  }

  /** Where a path to be mounted at really stands: paths are looked up without symbolic links. */
  async #mountPath(path: string): Promise<string> {
    const at = canonicalPath(path)
    if (at === '/') return at
    const place = await explained({ path, syscall: 'mount' }, async () => {
      const parent = await this.fs.realpath(parentPath(at))
      if ((await this.fs.stat(parent)).isDirectory()) return childPath(parent, lastName(at))
      throw new WarrenError('ENOTDIR')
    })
    return place
  }

  async #realOr(path: string): Promise<string> {
    return this.fs.realpath(path).catch(() => path)
  }

  #requireRunning(): void {
    this.#ending.signal.throwIfAborted()
  }

  /** Aborted by the caller, or when this warren stops. */
  #untilStop({ signal }: { readonly signal?: AbortSignal }): AbortSignal {
    this.#requireRunning()
    const { signal: ending } = this.#ending
    return signal === undefined ? ending : AbortSignal.any([signal, ending])
  }

  #transfers(): HostTransfers {
    const { transfers } = this.#parts
    if (transfers !== undefined) return transfers
    throw new WarrenError('ENOTSUP', { message: 'there is no host file system here' })
  }
}

function listenError(cause: unknown): WarrenError {
  const code = String(cause).includes('EADDRINUSE') ? 'EBUSY' : 'EINVAL'
  return new WarrenError(code, { message: 'this peer cannot listen as it should', cause })
}
