/** Test data on the host: random, so that nothing compresses and no two blocks are equal. */
import { createHash, randomFillSync } from 'node:crypto'
import {
  closeSync,
  createReadStream,
  mkdirSync,
  openSync,
  readSync,
  readdirSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { join } from 'node:path'

export function makeFile(path: string, bytes: number): void {
  const buffer = Buffer.allocUnsafe(1024 * 1024)
  const file = openSync(path, 'w')
  for (let written = 0; written < bytes; written += buffer.length) {
    randomFillSync(buffer)
    writeSync(file, buffer, 0, Math.min(buffer.length, bytes - written))
  }
  closeSync(file)
}

/** `files` files of `bytes` each, a hundred to a directory. */
export function makeTree(path: string, files: number, bytes: number): void {
  const buffer = Buffer.allocUnsafe(bytes)
  for (let index = 0; index < files; index++) {
    const directory = join(path, String(Math.floor(index / 100)).padStart(4, '0'))
    if (index % 100 === 0) mkdirSync(directory, { recursive: true })
    randomFillSync(buffer)
    writeFileSync(join(directory, `${String(index).padStart(6, '0')}.bin`), buffer)
  }
}

/** One directory of empty-ish files, for listings. */
export function makeDirectory(path: string, files: number): void {
  mkdirSync(path, { recursive: true })
  for (let index = 0; index < files; index++) {
    writeFileSync(join(path, `${String(index).padStart(6, '0')}.txt`), `file ${index}\n`)
  }
}

/** A hash over names and contents: equal trees have equal hashes. */
export async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  await addTo(hash, path)
  return hash.digest('hex')
}

async function addTo(hash: ReturnType<typeof createHash>, path: string): Promise<void> {
  let names: string[]
  try {
    names = readdirSync(path).sort()
  } catch {
    for await (const piece of createReadStream(path)) hash.update(piece as Buffer)
    return
  }
  for (const name of names) {
    hash.update(name + '\0')
    await addTo(hash, join(path, name))
  }
}

export function hashOfRange(path: string, offset: number, bytes: number): string {
  const buffer = new Uint8Array(bytes)
  const file = openSync(path, 'r')
  readSync(file, buffer, 0, bytes, offset)
  closeSync(file)
  return createHash('sha256').update(buffer).digest('hex')
}
