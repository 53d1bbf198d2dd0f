/** The contract of an open directory: Node's `Dir`. */
import type { Dirent } from './dirent.ts'

/** Shows the directory as it was when opened. Iterating closes it at the end. */
export interface Directory extends AsyncDisposable {
  /** As it was opened. */
  readonly path: string
  /** The next entry, or null at the end. */
  read(): Promise<Dirent | null>
  /** Any call afterwards throws `EBADF`. */
  close(): Promise<void>
  entries(): AsyncIterableIterator<Dirent>
  [Symbol.asyncIterator](): AsyncIterableIterator<Dirent>
}

/** What `opendir` gives: a promise as Node's, that can also be iterated without awaiting it. */
export type OpeningDirectory = Promise<Directory> & AsyncIterable<Dirent>

export function iterable(opening: Promise<Directory>): OpeningDirectory {
  return Object.assign(opening, {
    async *[Symbol.asyncIterator]() {
      yield* await opening
    }
  })
}
