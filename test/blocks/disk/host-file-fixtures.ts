/** A host-file store over a folder of its own, and files to share from it. */
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { suite } from 'uvu'
import type { Block } from '../../../src/blocks/block.ts'
import { createBlock } from '../../../src/blocks/block.ts'
import type { BlockId } from '../../../src/blocks/block-id.ts'
import type {
  HostFileBlockStore,
  HostFileBlockStoreOptions,
  HostFileReference
} from '../../../src/blocks/disk/host-file-block-store.ts'
import {
  hostFileOf,
  openHostFileBlockStore
} from '../../../src/blocks/disk/host-file-block-store.ts'

/** Bytes of the blocks that files are cut into. */
export const CHUNK = 1000

export interface Context {
  /** Where the store keeps its index. */
  index: string
  /** Where the host files are. */
  shared: string
  root: string
  changed: string[]
  store: HostFileBlockStore
  open(options?: HostFileBlockStoreOptions): Promise<HostFileBlockStore>
}

/** Gives each test a context of its own. */
export function prepare(test: ReturnType<typeof suite<Context>>): void {
  test.before.each(async context => {
    context.root = await mkdtemp(join(tmpdir(), 'warren-host-files-'))
    context.index = join(context.root, 'index')
    context.shared = join(context.root, 'shared')
    context.changed = []
    await mkdir(context.shared)
    context.open = options =>
      openHostFileBlockStore(context.index, {
        onChanged: path => context.changed.push(path),
        // So that every change is seen at once.
        fileOpenMs: 0,
        ...options
      })
    context.store = await context.open()
  })
  test.after.each(async context => {
    await context.store.close()
    await rm(context.root, { recursive: true })
  })
}

export interface IndexedFile {
  path: string
  references: HostFileReference[]
  blocks: Block[]
}

export async function indexFile(
  store: HostFileBlockStore,
  path: string,
  bytes: Uint8Array
): Promise<IndexedFile> {
  await writeFile(path, bytes)
  const { references, blocks } = await cut(path, bytes)
  await store.putReferences(references)
  return { path, references, blocks }
}

export async function cut(path: string, bytes: Uint8Array): Promise<Omit<IndexedFile, 'path'>> {
  const file = hostFileOf(await stat(path))
  const references: HostFileReference[] = []
  const blocks: Block[] = []
  for (let offset = 0; offset < bytes.length; offset += CHUNK) {
    const block = await createBlock('raw', bytes.slice(offset, offset + CHUNK))
    blocks.push(block)
    references.push({ id: block.id, path, offset, length: block.bytes.length, file })
  }
  return { references, blocks }
}

/** References to blocks that are not really there. */
export async function inventReferences(path: string, count: number): Promise<HostFileReference[]> {
  const file = hostFileOf(await stat(path))
  const references: HostFileReference[] = []
  for (let index = 0; index < count; index++) {
    const { id } = await createBlock('raw', new TextEncoder().encode(`${index}`))
    references.push({ id, path, offset: index * 10, length: 10, file })
  }
  return references
}

export function randomBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length))
}

export function ids(blocks: readonly Block[]): BlockId[] {
  return blocks.map(block => block.id)
}

/** 0 where the system does not tell. */
export async function openDescriptors(): Promise<number> {
  return (await readdir('/proc/self/fd').catch(() => [])).length
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = []
  for await (const item of items) collected.push(item)
  return collected
}
