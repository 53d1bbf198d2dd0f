/** `warren ls`: lists a directory. */
import { posix } from 'node:path'
import type { DirentWithStats, Warren } from '../../index.ts'
import { defineCommand } from '../command.ts'
import type { Command } from '../command.ts'
import { describeEntry, longLine, typeOf } from '../entry.ts'
import type { EntryType, KnownEntry } from '../entry.ts'
import { EXIT } from '../exit-codes.ts'
import { during } from '../failure.ts'
import { titleOf } from '../link.ts'
import { openTarget } from '../target.ts'

/** Entries printed together: symlinks among them are read at once. Bounded for huge directories. */
const ENTRIES_AT_ONCE = 256

export const ls: Command = defineCommand({
  name: 'ls',
  summary: 'list a directory',
  usage: '<link> [<path>] | <path>',
  details:
    'Of a link, and below it where a path is given; or of a path in the namespace of this peer: a ' +
    "mount, or '/peers/<id>/<share>/…'. Names are printed with what a terminal would obey escaped; " +
    'programs take --json. With -l, attributes of a mount that cannot be reached are ?.',
  options: { long: { type: 'boolean', short: 'l', help: 'with mode, size and time' } },
  positionals: [1, 2],
  async run({ positionals: [target = '', below], options, settings, output, signal }) {
    await using open = await openTarget([target, below], settings, signal)
    const withStats = options.long === true || output.json
    const listed = listing(open.warren, open.path, { withStats, signal })
    for await (const { name, entry } of during_(below ?? titleOf(target), listed)) {
      if (output.json) await output.value({ name, ...entry })
      else if (withStats) await output.line(longLine(name, entry))
      else await output.line(name + SUFFIXES[entry.type])
    }
    return EXIT.done
  }
})

const SUFFIXES: Readonly<Record<EntryType, string>> = { file: '', directory: '/', symlink: '@' }

interface Listed {
  readonly name: string
  readonly entry: KnownEntry
}

interface ListingOptions {
  readonly withStats: boolean
  readonly signal: AbortSignal
}

async function* listing(
  warren: Warren,
  path: string,
  { withStats, signal }: ListingOptions
): AsyncGenerator<Listed> {
  const top = await warren.fs.stat(path, { signal })
  if (!top.isDirectory()) {
    yield { name: posix.basename(path), entry: await describeEntry(warren, path) }
    return
  }
  if (!withStats) {
    for await (const entry of await warren.fs.opendir(path, { signal })) {
      yield { name: entry.name, entry: { type: typeOf(entry) } }
    }
    return
  }
  let batch: DirentWithStats[] = []
  for await (const entry of await warren.fs.opendir(path, { withStats, signal })) {
    batch.push(entry)
    if (batch.length < ENTRIES_AT_ONCE) continue
    yield* await describeAll(warren, path, batch)
    batch = []
  }
  yield* await describeAll(warren, path, batch)
}

function describeAll(
  warren: Warren,
  path: string,
  entries: readonly DirentWithStats[]
): Promise<Listed[]> {
  return Promise.all(
    entries.map(async entry => {
      const { name, stats } = entry
      if (stats === undefined) return { name, entry: { type: typeOf(entry) } }
      return { name, entry: await describeEntry(warren, posix.join(path, name), stats) }
    })
  )
}

/** As `during`, for what comes bit by bit. */
async function* during_<Item>(task: string, source: AsyncGenerator<Item>): AsyncGenerator<Item> {
  for (;;) {
    const next = await during(task, source.next())
    if (next.done === true) return
    yield next.value
  }
}
