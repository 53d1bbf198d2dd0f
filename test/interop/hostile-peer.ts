/**
 * A peer that speaks our protocols and says what a test tells it to, over libp2p and TCP.
 *
 * Exports: `startHostilePeer(answers)`; `createCraftedVolume(entries)`: a volume with a good
 * signature over any tree; `directory`, `file`, `entry`: its pieces.
 */
import { createBlockExchange, createLocalReader } from '../../src/blocks/index.ts'
import { createMemoryBlockStore } from '../../src/blocks/index.ts'
import type { BlockStore } from '../../src/blocks/index.ts'
import { BLOCKS_PROTOCOL } from '../../src/blocks/exchange/messages.ts'
import {
  createHeadExchange,
  createMemoryHeadStore,
  createNodeCache,
  createTree,
  formatLink
} from '../../src/namespace/index.ts'
import type { HeadStore, VolumeId } from '../../src/namespace/index.ts'
import { HEADS_PROTOCOL } from '../../src/namespace/heads/head-messages.ts'
import { signHead } from '../../src/namespace/heads/head-record.ts'
import type { SignedHead } from '../../src/namespace/heads/head.ts'
import type { Change } from '../../src/namespace/tree/tree.ts'
import { VOLUME_KEY, entryKey, inodeKey } from '../../src/namespace/volume/keys.ts'
import { encodeEntry, encodeInode, encodeVolumeRecord } from '../../src/namespace/volume/records.ts'
import type { Inode, InodeNumber, InodeType } from '../../src/namespace/volume/volume.ts'
import { createSigningKey, systemClock } from '../../src/peer/index.ts'
import type { CallHandler, Peer } from '../../src/peer/index.ts'
import { createNodePeer } from '../../src/peer/node-peer.ts'
import { LOOPBACK } from '../warren/fixtures.ts'

export interface HostilePeer extends AsyncDisposable {
  readonly peer: Peer
  /** A link to a volume that names this peer, and then others. */
  link(volume: VolumeId, others?: readonly Peer[]): string
}

export interface HostileAnswers {
  /** What is served as it should be, where nothing else is said. */
  readonly store?: BlockStore
  readonly heads?: HeadStore
  readonly onBlocks?: CallHandler
  readonly onHeads?: CallHandler
}

export async function startHostilePeer(answers: HostileAnswers): Promise<HostilePeer> {
  const { store, heads, onBlocks, onHeads } = answers
  const peer = await createNodePeer({ ...LOOPBACK })
  if (onBlocks !== undefined) peer.serve(BLOCKS_PROTOCOL, onBlocks)
  else if (store !== undefined) await createBlockExchange({ peer, store }).start()
  if (onHeads !== undefined) peer.serve(HEADS_PROTOCOL, onHeads)
  else if (heads !== undefined) {
    const policy = { mayRead: () => true, offers: () => [] }
    await createHeadExchange({ peer, heads, clock: systemClock, policy }).start()
  }
  await peer.start()
  return {
    peer,
    link: (volume, others = []) =>
      formatLink({
        volume,
        path: '/',
        peers: [peer, ...others].map(one => ({ id: one.id, addresses: one.addresses() }))
      }),
    [Symbol.asyncDispose]: () => peer.stop()
  }
}

export interface CraftedVolume {
  readonly id: VolumeId
  readonly store: BlockStore
  readonly heads: HeadStore
  readonly head: SignedHead
}

/** Entries in any order; those of the root directory and the volume record need not be said. */
export async function createCraftedVolume(changes: readonly Change[]): Promise<CraftedVolume> {
  const store = createMemoryBlockStore()
  const tree = createTree({ reader: createLocalReader(store), cache: createNodeCache() })
  const all = new Map<string, Change>()
  for (const change of [
    { key: VOLUME_KEY, value: encodeVolumeRecord({ nextInode: 1_000_000 as InodeNumber }) },
    directory(1, 1),
    ...changes
  ]) {
    all.set(Buffer.from(change.key).toString('hex'), change)
  }
  const sorted = [...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, change]) => change)
  const flushed = await (await tree.apply(sorted)).flush(store)
  const key = await createSigningKey()
  const head = await signHead(key, { sequence: 7, root: flushed.root, timeMs: Date.now() })
  const heads = createMemoryHeadStore()
  await heads.compareAndSet(undefined, head)
  return { id: head.volume, store, heads, head }
}

export function entry(parent: number, name: string, inode: number, type: InodeType): Change {
  const value = encodeEntry({ inode: inode as InodeNumber, type })
  return { key: entryKey(parent as InodeNumber, name), value }
}

export function directory(number: number, parent: number): Change {
  return inode(number, { type: 'directory', links: 2, parent, mode: 0o755 })
}

export function file(number: number, size: number): Change {
  return inode(number, { type: 'file', size })
}

export function inode(number: number, fields: Partial<Inode>): Change {
  const value = encodeInode({
    number: number as InodeNumber,
    generation: 1,
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    links: 1,
    size: 0,
    atimeMs: 0,
    mtimeMs: 0,
    ctimeMs: 0,
    birthtimeMs: 0,
    parent: 0,
    ...fields
  })
  return { key: inodeKey(number as InodeNumber), value }
}
