/**
 * Prints the figures of collection in `docs/architecture.md`: what comes back to the disk, in what
 * time, and what a writer feels of it meanwhile.
 *
 *     node --conditions=warren-source bench/collection.ts [MiB, 1024 when absent]
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createWarren } from '../src/index.ts'
import type { Warren } from '../src/index.ts'

const MIB = 2 ** 20
const mebibytes = Number(process.argv[2] ?? 1024)
/** How long the writer writes alone, in milliseconds. */
const ALONE_MS = 3_000

interface Shape {
  readonly name: string
  readonly files: number
  /** Of a file's number: whether it goes. */
  readonly isGoing: (file: number) => boolean
}

const shapes: readonly Shape[] = [
  { name: '8 large files, 7 removed', files: 8, isGoing: file => file !== 3 },
  { name: 'files of 256 KiB, 2 of 3 removed', files: 4 * mebibytes, isGoing: file => file % 3 > 0 }
]

/** What the files of a directory occupy on the disk. */
async function bytesOnDisk(directory: string): Promise<number> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true })
  const files = entries.filter(entry => entry.isFile())
  const stats = await Promise.all(files.map(file => stat(join(file.parentPath, file.name))))
  return stats.reduce((sum, { blocks }) => sum + blocks * 512, 0)
}

function* pieces(bytes: number): Generator<Uint8Array> {
  for (let left = bytes; left > 0; left -= MIB) yield randomBytes(Math.min(MIB, left))
}

/** Writes small and middling files one after the other until told to stop; milliseconds of each. */
async function writeUntil(warren: Warren, isOver: () => boolean): Promise<number[]> {
  const times: number[] = []
  for (let number = 0; !isOver(); number++) {
    const content = randomBytes(number % 2 === 0 ? 2_000 : 64 * 1024)
    const began = performance.now()
    await warren.fs.writeFile(`/writer-${number % 200}`, content)
    times.push(performance.now() - began)
  }
  return times.toSorted((a, b) => a - b)
}

function describeTimes(times: readonly number[]): string {
  const at = (part: number): string => times[Math.floor(part * (times.length - 1))]!.toFixed(1)
  return `${times.length} writes, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`
}

async function measure({ name, files, isGoing }: Shape): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'warren-collection-'))
  try {
    const options = { directory, retentionMs: 0, collectEveryMs: 0, discovery: false, listen: [] }
    await using warren = await createWarren(options)
    const bytes = (mebibytes * MIB) / files
    await warren.fs.mkdir('/files')
    for (let file = 0; file < files; file++) {
      await warren.fs.writeFile(`/files/${file}`, pieces(bytes))
    }
    await warren.sync()
    const aloneUntil = performance.now() + ALONE_MS
    const alone = await writeUntil(warren, () => performance.now() > aloneUntil)
    for (let file = 0; file < files; file++) {
      if (isGoing(file)) await warren.fs.rm(`/files/${file}`)
    }
    await warren.sync()
    const before = await bytesOnDisk(directory)
    let isOver = false
    const writing = writeUntil(warren, () => isOver)
    const began = performance.now()
    const freed = await warren.collect()
    const milliseconds = performance.now() - began
    isOver = true
    const beside = await writing
    await warren.sync()
    const after = await bytesOnDisk(directory)
    const mib = (count: number): string => (count / MIB).toFixed(0)
    console.log(`${name}: on disk ${mib(before)} MiB before, ${mib(after)} MiB after`)
    console.log(
      `  ${freed.blocks} blocks, ${mib(freed.bytes)} MiB freed in ${milliseconds.toFixed(0)} ms`
    )
    console.log(`  alone:  ${describeTimes(alone)}`)
    console.log(`  beside: ${describeTimes(beside)}`)
  } finally {
    await rm(directory, { recursive: true })
  }
}

for (const shape of shapes) await measure(shape)
