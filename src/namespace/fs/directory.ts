/** The contract of an open directory: Node's `Dir`. */
import type { Dirent } from './dirent.ts'

/** Shows the directory as it was when opened. Iterating closes it at the end. */
export interface Directory<Entry extends Dirent = Dirent> extends AsyncDisposable {
  /** As it was opened. */
  readonly path: string
  /** The next entry, or null at the end. */
  read(): Promise<Entry | null>
  /** Any call afterwards throws `EBADF`. */
  close(): Promise<void>
  entries(): AsyncIterableIterator<Entry>
  [Symbol.asyncIterator](): AsyncIterableIterator<Entry>
}

/** What `opendir` gives: a promise as Node's, that can also be iterated without awaiting it. */
export type OpeningDirectory<Entry extends Dirent = Dirent> = Promise<Directory<Entry>> &
  AsyncIterable<Entry>

export function iterable<Entry extends Dirent>(
  opening: Promise<Directory<Entry>>
): OpeningDirectory<Entry> {
  return Object.assign(opening, {
    async *[Symbol.asyncIterator]() {
      yield* await opening
    }
  })
}
