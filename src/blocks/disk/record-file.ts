/**
 * A record that changes rarely, in one file of JSON: text, because a person may want to read or
 * mend it. Replaced as a whole, so a crash leaves the old record or the new one. Only its owner may
 * read it.
 */
import { chmod, readFile } from 'node:fs/promises'
import { WarrenError } from '../../errors.ts'
import { writeFileDurably } from './durable-file.ts'

export interface RecordFile<Value> {
  /** Throws `EIO` when there is one and it cannot be read. */
  load(): Promise<Value>
  /** Resolves when it is durable. Of several at once the last one called is the one that stays. */
  save(value: Value): Promise<void>
}

export interface RecordFormat<Value> {
  /** What the message of an error calls it. */
  readonly name: string
  readonly version: number
  /** What is loaded before anything was saved. */
  readonly empty: () => Value
  /** Makes the record of what was parsed, of which nothing is believed. Throws an `Error` that says what is wrong. */
  readonly read: (stored: unknown) => Value
}

export function openRecordFile<Value extends object>(
  path: string,
  { name, version, empty, read }: RecordFormat<Value>
): RecordFile<Value> {
  let lastSave: Promise<unknown> = Promise.resolve()
  const parse = (text: string): Value => {
    const stored = JSON.parse(text) as { readonly format?: unknown } | null
    if (stored?.format !== version) throw new Error(`format ${String(stored?.format)}`)
    return read(stored)
  }
  return {
    load: async () => {
      await lastSave
      const text = await readIfThere(path)
      if (text === undefined) return empty()
      try {
        return parse(text)
      } catch (cause) {
        throw new WarrenError('EIO', { message: `${name} is damaged`, path, cause })
      }
    },
    save: async value => {
      const text = JSON.stringify({ format: version, ...value }, undefined, 2)
      const saved = lastSave.then(async () => {
        await writeFileDurably(path, new TextEncoder().encode(text + '\n'))
        await chmod(path, 0o600)
      })
      lastSave = saved.catch(() => {})
      await saved
    }
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
