/** The warren that apps hold: its verbs forward to the parts that `createWarren` has wired. */
import type { BlockExchange, BlockStoreUsage, CollectableBlockStore } from './blocks/index.ts'
import type { Parts } from './defaults/parts.ts'
import { WarrenError } from './errors.ts'
import { canonicalPath, formatLink, lastName, parentPath, pathOfShare } from './namespace/index.ts'
import type {
  ExportOptions,
  HeadExchange,
  HostTransfers,
  ImportOptions,
  LocalVolume,
  MountTable,
  Offer,
  Shares,
  TransferReport,
  VolumeId,
  createFileSystem
} from './namespace/index.ts'
import type { Peer, PeerId } from './peer/index.ts'
import { collectGarbage } from './collect-garbage.ts'
import { transferPlace } from './transfer-place.ts'
import type { Volumes } from './volumes.ts'
import type { MountReport, PeerReport, ShareReport, Warren } from './warren.ts'

/** How long `peers` waits for one that does not answer, in milliseconds. */
const OFFERS_TIMEOUT_MS = 3_000

export interface WarrenComponents extends Parts {
  readonly store: CollectableBlockStore
  readonly exchange: BlockExchange
  readonly heads: HeadExchange
  readonly own: LocalVolume
  readonly volumes: Volumes
  readonly table: MountTable
  readonly shares: Shares
  readonly fs: ReturnType<typeof createFileSystem>
  readonly transfers: HostTransfers | undefined
}

export class PeerWarren implements Warren {
  readonly #parts: WarrenComponents
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

  /** Called by `createWarren` once. */
  async start(): Promise<void> {
    const { peer, exchange, heads } = this.#parts
    await exchange.start()
    await heads.start()
    await peer.start()
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
    await this.fs.flush()
    const to = await transferPlace(this.fs, this.#parts.table, path)
    return transfers.import(hostPath, to, options)
  }

  async export(
    path: string,
    hostPath: string,
    options: ExportOptions = {}
  ): Promise<TransferReport> {
    const transfers = this.#transfers()
    await this.fs.flush()
    await this.fs.stat(path)
    const from = await transferPlace(this.fs, this.#parts.table, path)
    return transfers.export(from, hostPath, options)
  }

  async share(path: string, { name }: { readonly name?: string } = {}): Promise<string> {
    const { shares, table } = this.#parts
    const real = await this.fs.realpath(path)
    const { volume } = table.locate(real)
    shares.add(real, name)
    await this.#save()
    await volume.sync()
    return this.#linkTo(real, lastName(real))
  }

  async unshare(path: string): Promise<void> {
    this.#parts.shares.remove(canonicalPath(path))
    await this.#save()
  }

  shares(): ShareReport[] {
    return this.#parts.shares
      .list()
      .map(({ path, name }) => ({ path, name, link: this.#linkTo(path, name) }))
  }

  async mount(
    path: string,
    link: string,
    options: { readonly signal?: AbortSignal; readonly offline?: boolean } = {}
  ): Promise<void> {
    const { table, volumes } = this.#parts
    const at = canonicalPath(path)
    if (at !== '/') await this.#requireDirectory(parentPath(at), path)
    const before = table.list().find(mount => mount.path === at)
    const { volume } = await table.mount(at, link)
    try {
      if (options.offline !== true) {
        await volume.snapshot(options)
        await table.at(at, options)
      }
    } catch (error) {
      if (before === undefined) await table.unmount(at)
      else await table.mount(at, before.link)
      if (!table.volumes().includes(volume)) await volumes.close(volume)
      throw error
    }
    await this.#save()
  }

  async unmount(path: string): Promise<void> {
    await this.#parts.table.unmount(path)
    await this.#save()
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
    const { peer } = this.#parts
    const id = await peer.dial(target, options)
    await peer.keep(id)
    return id
  }

  async peers(options: { readonly signal?: AbortSignal } = {}): Promise<PeerReport[]> {
    return Promise.all(
      this.#parts.peer.known().map(async known => ({
        ...known,
        shares: (await this.#offersOf(known.id, options)).map(offer => ({
          name: offer.name,
          path: pathOfShare(known.id, offer.name),
          link: formatLink({
            volume: offer.volume,
            path: offer.path,
            peers: [{ id: known.id, addresses: known.addresses }],
            name: offer.name
          })
        }))
      }))
    )
  }

  async sync(): Promise<void> {
    await this.fs.flush()
    await this.#parts.own.sync()
  }

  async collect(options: { readonly signal?: AbortSignal } = {}): Promise<BlockStoreUsage> {
    await this.sync()
    return collectGarbage(this.#parts, options)
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
    const { heads, exchange, peer, volumes } = this.#parts
    const steps = [
      () => this.fs.flush(),
      () => volumes.closeAll(),
      () => heads.stop(),
      () => exchange.stop(),
      () => peer.stop(),
      () => this.#parts.close()
    ]
    const failures: unknown[] = []
    for (const step of steps) await step().catch((error: unknown) => failures.push(error))
    if (failures.length > 0) throw failures[0]
  }

  async #offersOf(
    id: PeerId,
    { signal }: { readonly signal?: AbortSignal }
  ): Promise<readonly Offer[]> {
    const deadline = AbortSignal.timeout(OFFERS_TIMEOUT_MS)
    try {
      return await this.#parts.heads.offersOf(id, {
        signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline])
      })
    } catch {
      signal?.throwIfAborted()
      return []
    }
  }

  #linkTo(path: string, name: string): string {
    const { table, peer } = this.#parts
    const located = table.locate(path)
    return formatLink({
      volume: located.volume.id,
      path: located.path,
      peers: [{ id: peer.id, addresses: peer.addresses() }],
      ...(name === '' ? {} : { name })
    })
  }

  async #requireDirectory(path: string, asked: string): Promise<void> {
    const stats = await this.fs.stat(path)
    if (stats.isDirectory()) return
    throw new WarrenError('ENOTDIR', { syscall: 'mount', path: asked })
  }

  #save(): Promise<void> {
    const { namespaceStore, table, shares } = this.#parts
    const mounts = table.list().map(({ path, link }) => ({ path, link }))
    return namespaceStore.save({ mounts, shares: shares.list() })
  }

  #transfers(): HostTransfers {
    const { transfers } = this.#parts
    if (transfers !== undefined) return transfers
    throw new WarrenError('ENOTSUP', { message: 'there is no host file system here' })
  }
}
