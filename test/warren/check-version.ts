/**
 * Looks at a whole version of a volume and tells everything that is wrong with it: what a crash, a
 * lost update or a wrong merge would leave behind.
 *
 * Exports: `findFaults(snapshot)`: one sentence for each; `readVersion(directory)`: the version that
 * a warren's directory holds while no warren runs in it, without opening it as one;
 * `requireSound(directory)`: both, for a directory whose warren was killed.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openDiskBlockStore, openHostFileBlockStore } from '../../src/blocks/disk/index.ts'
import {
  Sealing,
  createDecodingReader,
  createLocalReader,
  createTieredBlockStore,
  parseReadKey
} from '../../src/blocks/index.ts'
import { openDiskHeadStore } from '../../src/namespace/disk/index.ts'
import { createNodeCache, createTree, createVolumeId } from '../../src/namespace/index.ts'
import type { Inode, InodeNumber, Snapshot } from '../../src/namespace/index.ts'
import { inodeOf, kindOf, orphanRange } from '../../src/namespace/volume/keys.ts'
import { TreeSnapshot } from '../../src/namespace/volume/tree-snapshot.ts'
import { ROOT_INODE } from '../../src/namespace/volume/volume.ts'
import { importSigningKey } from '../../src/peer/index.ts'

export async function findFaults(snapshot: Snapshot): Promise<string[]> {
  const check = new Check(snapshot)
  await check.directory(ROOT_INODE, ROOT_INODE, '/')
  await check.remains()
  return check.faults
}

class Check {
  readonly faults: string[] = []
  readonly #snapshot: Snapshot
  readonly #names = new Map<InodeNumber, number>()
  readonly #reached = new Map<InodeNumber, Inode>()

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot
  }

  async directory(number: InodeNumber, parent: InodeNumber, path: string): Promise<void> {
    const inode = await this.#snapshot.inode(number)
    if (inode === undefined) return void this.faults.push(`${path}: its inode is missing`)
    if (this.#reached.has(number)) return void this.faults.push(`${path}: reached twice`)
    this.#reached.set(number, inode)
    if (inode.type !== 'directory') this.faults.push(`${path}: is a ${inode.type}`)
    if (inode.parent !== parent) this.faults.push(`${path}: parent ${inode.parent}, not ${parent}`)
    let subdirectories = 0
    for await (const batch of this.#snapshot.entries(number)) {
      for (const { name, inode: child, type } of batch) {
        const childPath = path === '/' ? `/${name}` : `${path}/${name}`
        if (type === 'directory') {
          subdirectories++
          await this.directory(child, number, childPath)
        } else await this.#leaf(child, type, childPath)
      }
    }
    if (inode.links !== 2 + subdirectories) {
      this.faults.push(`${path}: ${inode.links} links with ${subdirectories} subdirectories`)
    }
  }

  async #leaf(number: InodeNumber, type: Inode['type'], path: string): Promise<void> {
    const inode = await this.#snapshot.inode(number)
    if (inode === undefined) return void this.faults.push(`${path}: its inode is missing`)
    if (inode.type !== type) this.faults.push(`${path}: entry ${type}, inode ${inode.type}`)
    this.#names.set(number, (this.#names.get(number) ?? 0) + 1)
    if (this.#reached.has(number)) return
    this.#reached.set(number, inode)
    if (type === 'file') await this.#content(inode, path)
  }

  /** Every byte can be read, and there are as many as the inode says. */
  async #content(inode: Inode, path: string): Promise<void> {
    const content = await this.#snapshot.content(inode)
    if ('extents' in content) {
      let end = 0
      for await (const batch of content.extents) {
        for (const { offset, length } of batch) {
          if (offset < end) this.faults.push(`${path}: extents overlap at ${offset}`)
          end = offset + length
        }
      }
      if (end > inode.size) this.faults.push(`${path}: extents up to ${end} of ${inode.size}`)
    }
    let bytes = 0
    for await (const piece of this.#snapshot.read(inode)) bytes += piece.length
    if (bytes !== inode.size) this.faults.push(`${path}: ${bytes} bytes of ${inode.size}`)
  }

  /** What is in the tree and belongs to nothing that has a name. */
  async remains(): Promise<void> {
    const orphans = new Set<InodeNumber>()
    for await (const batch of this.#snapshot.tree.scan(orphanRange())) {
      for (const { key } of batch) orphans.add(inodeOf(key))
    }
    for (const [number, inode] of this.#reached) {
      if (orphans.has(number)) this.faults.push(`inode ${number}: an orphan with a name`)
      const names = this.#names.get(number) ?? 0
      if (inode.type !== 'directory' && names !== inode.links) {
        this.faults.push(`inode ${number}: ${inode.links} links, ${names} names`)
      }
    }
    for await (const batch of this.#snapshot.tree.scan({})) {
      for (const { key } of batch) {
        const kind = kindOf(key)
        if (kind === 'other' || key.length < 7) continue
        const number = inodeOf(key)
        if (this.#reached.has(number) || orphans.has(number)) continue
        this.faults.push(`inode ${number}: ${kind} without a name`)
      }
    }
  }
}

export interface Version extends AsyncDisposable {
  readonly snapshot: Snapshot
}

export async function readVersion(directory: string): Promise<Version | undefined> {
  const key = await importSigningKey(new Uint8Array(await readFile(join(directory, 'volume.key'))))
  const blocks = await openDiskBlockStore(join(directory, 'blocks'))
  const references = await openHostFileBlockStore(join(directory, 'references'))
  const heads = await openDiskHeadStore(join(directory, 'heads'))
  const close = async (): Promise<void> => {
    await heads.close()
    await references.close()
    await blocks.close()
  }
  const head = await heads.get(createVolumeId(key.publicKey))
  if (head === undefined) {
    await close()
    return undefined
  }
  const sealing = await openSealing(directory)
  const local = createLocalReader(createTieredBlockStore([blocks, references]))
  const reader = createDecodingReader(local, sealing)
  const tree = createTree({ reader, cache: createNodeCache(), encoding: sealing }, head.root)
  return { snapshot: new TreeSnapshot(tree, reader), [Symbol.asyncDispose]: close }
}

/** Without a key where the volume is not sealed. */
async function openSealing(directory: string): Promise<Sealing> {
  const text = await readFile(join(directory, 'volume.read-key'), 'utf8').catch(() => undefined)
  return new Sealing(text === undefined ? undefined : parseReadKey(text.trim()))
}

export async function requireSound(directory: string): Promise<void> {
  await using version = await readVersion(directory)
  assert.ok(version !== undefined, 'a warren that has started has a version')
  assert.deepEqual(await findFaults(version.snapshot), [])
}
