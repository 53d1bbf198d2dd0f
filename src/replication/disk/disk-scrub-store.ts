/** Keeps the place of the scrub in one file, `scrub.json`. Whatever is wrong with it, a pass begins anew. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileDurably } from '../../blocks/disk/index.ts'
import type { ScrubRecord, ScrubStore } from '../scrub/scrub-record.ts'

export function openDiskScrubStore(directory: string): ScrubStore {
  const path = join(directory, 'scrub.json')
  return {
    load: async () => parse(await readFile(path, 'utf8').catch(() => '')),
    save: record => writeFileDurably(path, new TextEncoder().encode(`${JSON.stringify(record)}\n`))
  }
}

function parse(text: string): ScrubRecord | undefined {
  try {
    const { beganMs, listed, finished } = JSON.parse(text) as Partial<ScrubRecord>
    if (!isCount(beganMs) || !isCount(listed) || typeof finished !== 'boolean') return undefined
    return { beganMs, listed, finished }
  } catch {
    return undefined
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
