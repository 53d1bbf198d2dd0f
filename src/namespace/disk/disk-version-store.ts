/**
 * Keeps the list of versions in one file, `versions.json`, replaced as a whole. It is no more than
 * a list of what not to remove yet, so a damaged one is no reason not to start.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileDurably } from '../../blocks/disk/index.ts'
import { parseBlockId } from '../../blocks/index.ts'
import type { VolumeId } from '../heads/head.ts'
import { Turns } from '../volume/turns.ts'
import type { Version, VersionStore } from '../volume/version-store.ts'

const FORMAT = 1

export function openDiskVersionStore(directory: string): VersionStore {
  const path = join(directory, 'versions.json')
  const turns = new Turns()
  return {
    load: async volume => {
      try {
        return parse(await readFile(path, 'utf8'), volume)
      } catch {
        return []
      }
    },
    save: (volume, versions) =>
      turns.take(() => writeFileDurably(path, encode({ format: FORMAT, volume, versions })))
  }
}

function encode(record: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(record) + '\n')
}

function parse(text: string, expected: VolumeId): Version[] {
  const { format, volume, versions } = JSON.parse(text) as Record<string, unknown>
  if (format !== FORMAT || volume !== expected) return []
  return (versions as Record<string, unknown>[]).map(({ sequence, root, timeMs }) => ({
    sequence: wholeNumber(sequence),
    root: parseBlockId(root as string),
    timeMs: wholeNumber(timeMs)
  }))
}

function wholeNumber(value: unknown): number {
  if (Number.isSafeInteger(value)) return value as number
  throw new TypeError(`${String(value)} is no whole number`)
}
