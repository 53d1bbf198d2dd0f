/**
 * What a tree of files should look like after a sequence of changes, and random changes to make.
 *
 * Exports: `TreeModel` (`apply`, `describe`, `paths`), `randomChange(model, random)`,
 * `createRandom(seed)`, `contentOf(seed, bytes)`, `describeTree(fs, root)`.
 */
import { createHash } from 'node:crypto'
import type { FileSystem } from '../../src/namespace/index.ts'

/** Values only, so that it can be told to another process. */
export type TreeChange =
  | { readonly verb: 'write' | 'append'; readonly path: string; readonly content: ContentRecipe }
  | { readonly verb: 'mkdir' | 'remove'; readonly path: string }
  | { readonly verb: 'truncate'; readonly path: string; readonly length: number }
  | { readonly verb: 'rename' | 'link' | 'copy'; readonly path: string; readonly to: string }
  | { readonly verb: 'symlink'; readonly path: string; readonly target: string }

export interface ContentRecipe {
  readonly seed: number
  readonly bytes: number
}

interface File {
  readonly type: 'file'
  bytes: Uint8Array
}
interface Directory {
  readonly type: 'directory'
  readonly entries: Map<string, Node>
}
type Node = File | Directory | { readonly type: 'symlink'; readonly target: string }

export class TreeModel {
  readonly #root: Directory

  constructor(root: Directory = { type: 'directory', entries: new Map() }) {
    this.#root = root
  }

  apply(change: TreeChange): void {
    const { path } = change
    const [parent, name] = this.#parent(path)
    if (change.verb === 'write') this.#file(parent, name).bytes = contentOf(change.content)
    else if (change.verb === 'append') {
      const file = this.#file(parent, name)
      file.bytes = joined(file.bytes, contentOf(change.content))
    } else if (change.verb === 'truncate') {
      const file = this.#file(parent, name)
      const bytes = new Uint8Array(change.length)
      bytes.set(file.bytes.subarray(0, change.length))
      file.bytes = bytes
    } else if (change.verb === 'mkdir') parent.set(name, { type: 'directory', entries: new Map() })
    else if (change.verb === 'remove') parent.delete(name)
    else if ('to' in change) this.#toSecond(change, parent, name)
    else if ('target' in change) parent.set(name, { type: 'symlink', target: change.target })
  }

  /** Hard links stay together; contents are shared, because they are replaced and never changed. */
  copy(): TreeModel {
    const copies = new Map<Node, Node>()
    const copyOf = (node: Node): Node => {
      const known = copies.get(node)
      if (known !== undefined) return known
      const copy = node.type === 'directory' ? { ...node, entries: copyAll(node) } : { ...node }
      copies.set(node, copy)
      return copy
    }
    const copyAll = ({ entries }: { readonly entries: Map<string, Node> }): Map<string, Node> =>
      new Map([...entries].map(([name, node]) => [name, copyOf(node)]))
    return new TreeModel({ type: 'directory', entries: copyAll(this.#root) })
  }

  /** One line for each entry, sorted. */
  describe(): string[] {
    const lines: string[] = []
    for (const [path, node] of this.#walk(this.#root.entries, '')) lines.push(line(path, node))
    return lines.sort()
  }

  paths(type?: Node['type']): string[] {
    const found: string[] = []
    for (const [path, node] of this.#walk(this.#root.entries, '')) {
      if (type === undefined || node.type === type) found.push(path)
    }
    return found
  }

  has(path: string): boolean {
    const [parent, name] = this.#parent(path)
    return parent.has(name)
  }

  #toSecond(
    { verb, to }: Extract<TreeChange, { readonly to: string }>,
    parent: Map<string, Node>,
    name: string
  ): void {
    const node = parent.get(name)!
    const [target, targetName] = this.#parent(to)
    if (verb === 'copy') this.#file(target, targetName).bytes = (node as File).bytes
    else {
      target.set(targetName, node)
      if (verb === 'rename' && !(target === parent && targetName === name)) parent.delete(name)
    }
  }

  #file(parent: Map<string, Node>, name: string): File {
    const known = parent.get(name)
    if (known?.type === 'file') return known
    const file: File = { type: 'file', bytes: new Uint8Array(0) }
    parent.set(name, file)
    return file
  }

  #parent(path: string): [Map<string, Node>, string] {
    const names = path.split('/').slice(1)
    const last = names.pop()!
    let entries = this.#root.entries
    for (const name of names) {
      const node = entries.get(name)
      if (node?.type !== 'directory') throw new Error(`the model has no directory at ${path}`)
      entries = node.entries
    }
    return [entries, last]
  }

  *#walk(entries: Map<string, Node>, above: string): Generator<[string, Node]> {
    for (const [name, node] of entries) {
      yield [`${above}/${name}`, node]
      if (node.type === 'directory') yield* this.#walk(node.entries, `${above}/${name}`)
    }
  }
}

function line(path: string, node: Node): string {
  if (node.type === 'file') return `${path} ${hash(node.bytes)}`
  return node.type === 'symlink' ? `${path} -> ${node.target}` : `${path}/`
}

/** The same lines for what a file system has. */
export async function describeTree(
  fs: Pick<FileSystem, 'readdir' | 'readFile' | 'readlink'>,
  root = ''
): Promise<string[]> {
  const lines: string[] = []
  const pending = ['']
  for (let below = pending.pop(); below !== undefined; below = pending.pop()) {
    const entries = await fs.readdir(root + below || '/', { withFileTypes: true })
    for (const entry of entries) {
      const path = `${below}/${entry.name}`
      if (entry.isDirectory()) {
        pending.push(path)
        lines.push(`${path}/`)
      } else if (entry.isSymbolicLink()) lines.push(`${path} -> ${await fs.readlink(root + path)}`)
      else lines.push(`${path} ${hash(await fs.readFile(root + path))}`)
    }
  }
  return lines.sort()
}

function hash(bytes: Uint8Array): string {
  return `${bytes.length}:${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`
}

export type Random = () => number

/** Mulberry32, by Tommy Ettinger: small, and good enough to choose what to do next. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function contentOf({ seed, bytes }: ContentRecipe): Uint8Array {
  const random = createRandom(seed)
  const words = new Uint32Array(Math.ceil(bytes / 4))
  for (let index = 0; index < words.length; index++) words[index] = random() * 2 ** 32
  return new Uint8Array(words.buffer, 0, bytes)
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(one.length + other.length)
  bytes.set(one)
  bytes.set(other, one.length)
  return bytes
}

/** Sizes on both sides of what stands in the tree, of a block, and of a few blocks. */
const SIZES = [0, 1, 100, 4_000, 12_288, 12_289, 70_000, 131_072, 131_073, 500_000]

/** The more there is, the more is removed: a model stays small enough to be compared whole. */
const PATHS_MAX = 60

/** A change that succeeds. */
export function randomChange(model: TreeModel, random: Random): TreeChange {
  const any = <Value>(values: readonly Value[]): Value =>
    values[Math.floor(random() * values.length)]!
  const content = (): ContentRecipe => ({ seed: Math.floor(random() * 1e9), bytes: any(SIZES) })
  const directories = ['', ...model.paths('directory')]
  const files = model.paths('file')
  const paths = model.paths()
  const freshPath = (): string => {
    for (;;) {
      const path = `${any(directories)}/${any(['a', 'b', 'c', 'd', 'ü', '🐇'])}${Math.floor(random() * 40)}`
      if (!model.has(path)) return path
    }
  }
  if (paths.length > PATHS_MAX || (paths.length > 5 && random() < 0.12)) {
    return { verb: 'remove', path: any(paths) }
  }
  if (files.length === 0 || random() < 0.3) {
    const path = files.length > 0 && random() < 0.5 ? any(files) : freshPath()
    return { verb: 'write', path, content: content() }
  }
  const choice = Math.floor(random() * 8)
  if (choice === 0) return { verb: 'append', path: any(files), content: content() }
  if (choice === 1) return { verb: 'truncate', path: any(files), length: any(SIZES) }
  if (choice === 2) return { verb: 'link', path: any(files), to: freshPath() }
  if (choice === 3) return { verb: 'copy', path: any(files), to: freshPath() }
  if (choice === 4) return { verb: 'symlink', path: freshPath(), target: any(paths) }
  if (choice === 5) return { verb: 'mkdir', path: freshPath() }
  if (choice === 6) return { verb: 'rename', path: any(files), to: freshPath() }
  const path = any(paths)
  const to = freshPath()
  // Not into itself.
  return to.startsWith(`${path}/`) ? { verb: 'mkdir', path: to } : { verb: 'rename', path, to }
}

/** Makes a change of the model's on a file system. */
export async function makeChange(
  fs: Pick<
    FileSystem,
    | 'writeFile'
    | 'appendFile'
    | 'truncate'
    | 'mkdir'
    | 'rm'
    | 'rename'
    | 'link'
    | 'copyFile'
    | 'symlink'
  >,
  change: TreeChange
): Promise<void> {
  const { path } = change
  if (change.verb === 'write') await fs.writeFile(path, contentOf(change.content))
  else if (change.verb === 'append') await fs.appendFile(path, contentOf(change.content))
  else if (change.verb === 'truncate') await fs.truncate(path, change.length)
  else if (change.verb === 'mkdir') await fs.mkdir(path)
  else if (change.verb === 'remove') await fs.rm(path, { recursive: true })
  else if (change.verb === 'rename') await fs.rename(path, change.to)
  else if (change.verb === 'link') await fs.link(path, change.to)
  else if (change.verb === 'copy') await fs.copyFile(path, change.to)
  else if ('target' in change) await fs.symlink(change.target, path)
}
