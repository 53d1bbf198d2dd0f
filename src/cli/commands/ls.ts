/** `warren ls`: lists a directory. */
import { posix } from 'node:path'
import type { Warren } from '../../index.ts'
import { defineCommand } from '../command.ts'
import type { Command } from '../command.ts'
import { describeEntry, longLine } from '../entry.ts'
import { EXIT } from '../exit-codes.ts'
import { during } from '../failure.ts'
import { openTarget } from '../target.ts'

/** Entries looked at together: hides the pauses of a remote directory, bounded for huge ones. */
const ENTRIES_AT_ONCE = 256

export const ls: Command = defineCommand({
  name: 'ls',
  summary: 'list a directory',
  usage: '<link> [<path>] | <path>',
  details:
    'Of a link, and below it where a path is given; or of a path in the namespace of this peer: a ' +
    "mount, or '/peers/<id>/<share>/…'. Names are printed with what a terminal would obey escaped; " +
    'programs take --json.',
  options: { long: { type: 'boolean', short: 'l', help: 'with mode, size and time' } },
  positionals: [1, 2],
  async run({ positionals: [target = '', below], options, settings, output, signal }) {
    await using open = await openTarget([target, below], settings, signal)
    const { warren, path } = open
    const withAttributes = options.long === true || output.json
    for await (const names of during_(target, listing(warren, path, signal))) {
      const entries = await Promise.all(
        names.map(async ({ name, path: full, suffix }) => ({
          name,
          suffix,
          attributes: withAttributes ? await describeEntry(warren, full) : undefined
        }))
      )
      for (const { name, suffix, attributes } of entries) {
        if (output.json) await output.value({ name, ...attributes })
        else if (attributes === undefined) await output.line(name + suffix)
        else await output.line(longLine(name, attributes))
      }
    }
    return EXIT.done
  }
})

interface Listed {
  readonly name: string
  readonly path: string
  readonly suffix: string
}

async function* listing(
  warren: Warren,
  path: string,
  signal: AbortSignal
): AsyncGenerator<readonly Listed[]> {
  if (!(await warren.fs.stat(path, { signal })).isDirectory()) {
    yield [{ name: posix.basename(path), path, suffix: '' }]
    return
  }
  let batch: Listed[] = []
  for await (const entry of await warren.fs.opendir(path, { signal })) {
    const suffix = entry.isDirectory() ? '/' : entry.isSymbolicLink() ? '@' : ''
    batch.push({ name: entry.name, path: posix.join(path, entry.name), suffix })
    if (batch.length < ENTRIES_AT_ONCE) continue
    yield batch
    batch = []
  }
  yield batch
}

/** As `during`, for what comes bit by bit. */
async function* during_<Item>(task: string, source: AsyncGenerator<Item>): AsyncGenerator<Item> {
  for (;;) {
    const next = await during(task, source.next())
    if (next.done === true) return
    yield next.value
  }
}
